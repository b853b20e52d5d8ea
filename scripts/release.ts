/** Makes the packages to publish, in `release/`: ONNX Runtime for each platform, and this one, which asks for them. */

import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { copyRuntime, platforms, runtimeVersion } from './onnxruntime.ts';

const root = resolve(import.meta.dirname, '..');
const release = join(root, 'release');
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const nameOf = (platform: string) => `lincir-onnxruntime-${platform}`;

rmSync(release, { recursive: true, force: true });
mkdirSync(release);
for (const platform of platforms) {
  const folder = join(release, nameOf(platform));
  copyRuntime(platform, folder);
  const [os, cpu] = platform.split('-');
  writeManifest(folder, {
    name: nameOf(platform),
    version: runtimeVersion,
    description: `ONNX Runtime's binding for Node on ${platform}, as onnxruntime-node has it, for lincir`,
    license: 'MIT',
    repository: manifest.repository,
    os: [os],
    cpu: [cpu],
    ...(os === 'linux' && { libc: ['glibc'] }),
  });
}

const [{ filename }] = JSON.parse(npm('pack', '--json', '--silent', '--pack-destination', release));
execFileSync('tar', ['-xzf', filename], { cwd: release });
rmSync(join(release, filename));
renameSync(join(release, 'package'), join(release, 'lincir'));
rmSync(join(release, 'lincir/dist/onnxruntime'), { recursive: true });
const runtimes = Object.fromEntries(platforms.map((platform) => [nameOf(platform), runtimeVersion]));
const { scripts: _, ...rest } = manifest;
writeManifest(join(release, 'lincir'), {
  ...rest,
  optionalDependencies: { ...manifest.optionalDependencies, ...runtimes },
});
console.log(`→ ${release}: publish the folder lincir last`);

function writeManifest(folder: string, content: object): void {
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(content, undefined, 2)}\n`);
}

function npm(...args: string[]): string {
  return execFileSync('npm', args, { cwd: root, encoding: 'utf8', shell: process.platform === 'win32' });
}
