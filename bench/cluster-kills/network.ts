/** Three network namespaces on one bridge, of which one can be cut off from the other two. Needs root and Linux. */

import { execFileSync, spawnSync } from 'node:child_process';
import type { NodesOptions } from '../../test/cluster/nodes.ts';

const bridge = 'lincir';
/** Loopback's addresses, because nodes on others insist on limits of the system that not every machine lets us have. */
const subnet = '127.18.0';
const namespaceOf = (number: number) => `lincir-n${number + 1}`;
const hostOf = (number: number) => `${subnet}.${number + 1}`;
const all = [0, 1, 2];

/** Runs this program again in a network namespace of its own, and ends with it. In there, does nothing. */
export function enterOwnNetwork(): void {
  if (process.env.LINCIR_OWN_NETWORK !== undefined) return;
  const words = ['--net', process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  const { status } = spawnSync('unshare', words, {
    stdio: 'inherit',
    env: { ...process.env, LINCIR_OWN_NETWORK: 'yes' },
  });
  process.exit(status ?? 1);
}

/** Makes the namespaces. This process reaches every node, whatever is cut. */
export function makeNetwork(): Required<Pick<NodesOptions, 'hosts' | 'enter'>> {
  removeNetwork();
  process.on('exit', removeNetwork);
  run(`ip link add ${bridge} type bridge`);
  connect('', `${subnet}.254`, bridge);
  for (const number of all) {
    const namespace = namespaceOf(number);
    const [outer, inner] = [`lincir-o${number}`, `lincir-i${number}`];
    run(`ip netns add ${namespace}`);
    run(`ip link add ${outer} type veth peer name ${inner}`);
    run(`ip link set ${outer} master ${bridge} up`);
    run(`ip link set ${inner} netns ${namespace}`);
    connect(`ip netns exec ${namespace} `, hostOf(number), inner);
  }
  return {
    hosts: all.map(hostOf),
    enter: (number) => ['ip', 'netns', 'exec', namespaceOf(number - 1)],
  };
}

/** Gives a device an address of loopback, which then leads out of the machine that it is of. */
function connect(enter: string, host: string, device: string): void {
  run(`${enter}sysctl -qw net.ipv4.conf.all.route_localnet=1`);
  run(`${enter}ip link set lo up`);
  run(`${enter}ip addr add ${host}/24 dev ${device}`);
  run(`${enter}ip link set ${device} up`);
  run(`${enter}ip route del local 127.0.0.0/8 dev lo table local`);
}

/** Nothing that the node and the others send to each other arrives any more, and nobody is told. */
export function cut(lonely: number): void {
  for (const other of all) {
    if (other === lonely) continue;
    rule(lonely, `-A INPUT -s ${hostOf(other)} -j DROP`);
    rule(lonely, `-A OUTPUT -d ${hostOf(other)} -j DROP`);
  }
}

export function heal(lonely: number): void {
  rule(lonely, '-F');
}

function removeNetwork(): void {
  for (const number of all) {
    spawnSync('ip', ['netns', 'del', namespaceOf(number)], { stdio: 'ignore' }); // perhaps it is not there
  }
}

function run(command: string): void {
  const [program, ...words] = command.split(' ');
  execFileSync(program!, words, { stdio: ['ignore', 'ignore', 'pipe'] });
}

function rule(number: number, words: string): void {
  run(`ip netns exec ${namespaceOf(number)} iptables ${words}`);
}
