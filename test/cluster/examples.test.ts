/** The examples for schedulers and clusters: checked by their schemas, and run as processes of this machine. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { z } from 'zod';
import { lincir } from '../command-line.ts';
import { credentials, S3Server } from '../s3-server.ts';
import { askCluster, skipsCluster } from '../stores.ts';
import { contentsOf, makeSources, model } from '../workers/world.ts';
import { clusterTools } from './tools.ts';

const examples = join(import.meta.dirname, '../../examples/cluster');
const main = join(import.meta.dirname, '../../src/cli/main.ts');
const run = promisify(execFile);
const tools = await clusterTools();
const skip = typeof tools === 'string' ? tools : false;

const job = z.object({
  spec: z.object({
    completionMode: z.literal('Indexed'),
    completions: z.int(),
    podFailurePolicy: z.object({ rules: z.array(z.object({ action: z.string() })) }),
    template: z.object({
      spec: z.object({
        restartPolicy: z.literal('Never'),
        containers: z.array(z.object({ args: z.array(z.string()) })).length(1),
      }),
    }),
  }),
});
const values = z.strictObject({
  clusterName: z.string(),
  nodeGroup: z.string(),
  replicas: z.literal(3),
  antiAffinity: z.enum(['hard', 'soft', 'custom']),
  maxUnavailable: z.int(),
  opensearchJavaOpts: z.string(),
  resources: z.record(z.string(), z.record(z.string(), z.string())),
  persistence: z.strictObject({ enabled: z.boolean(), size: z.string() }),
  sysctlInit: z.strictObject({ enabled: z.boolean() }),
  extraEnvs: z.array(
    z.strictObject({ name: z.string(), value: z.string().optional(), valueFrom: z.unknown().optional() }),
  ),
});

let folder: string;
let server: S3Server;
let environment: Readonly<Record<string, string>>;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lincir-cluster-'));
  await makeSources(folder, { shards: 0, imagesPerShard: 0, imagesInFolder: 12 });
  server = new S3Server();
  environment = { ...credentials, AWS_ENDPOINT_URL: await server.start() };
  for (let at = 0; at < 12; at += 1) {
    server.put(`shop/images/${at}.png`, await readFile(join(folder, `photos/${at}.png`)));
  }
});
after(async () => {
  server.close();
  await rm(folder, { recursive: true });
});

describe('examples', { concurrency: false }, () => {
  test('the Job has the fields that Kubernetes knows, and its pods fill an index', { skip }, async () => {
    if (typeof tools === 'string') return;
    const file = join(examples, 'index-job.yaml');
    const given = job.parse(await tools.yaml(file, '1.33'));
    const misspelt = join(folder, 'job.yaml');
    await writeFile(
      misspelt,
      (await readFile(file, 'utf8')).replace('backoffLimitPerIndex', 'backoffLimitPerPod'),
    );
    await assert.rejects(tools.yaml(misspelt, '1.33'), /backoffLimitPerPod/);
    const { completions, podFailurePolicy, template } = given.spec;
    assert.deepEqual(
      podFailurePolicy.rules.map(({ action }) => action),
      ['Ignore', 'FailJob'],
    );
    const { args } = template.spec.containers[0]!;
    assert.ok(args.includes(`auto/${completions}`), 'as many shards as pods');
    const own = { 'opensearch+https://opensearch-cluster-master:9200/shop': 'job.lance', large: model };
    const pod = (index: number) =>
      lincir(
        args.map((word) => own[word as keyof typeof own] ?? word.replace(`/${completions}`, '/3')),
        { folder, environment: { ...environment, JOB_COMPLETION_INDEX: `${index}` } },
      );
    for (const { code, stderr } of await Promise.all([0, 1, 2].map(pod))) assert.equal(code, 0, stderr);
    assert.equal((await contentsOf(join(folder, 'job.lance'))).images.size, 12);
    assert.equal((await pod(3)).code, 2, 'wrong usage, with which the Job fails');
  });

  test('the array is a script that fills an index, too', async () => {
    const script = join(examples, 'index-array.sh');
    await run('bash', ['-n', script]);
    const bin = join(folder, 'bin');
    await mkdir(bin);
    await writeFile(join(bin, 'lincir'), `#!/bin/sh\nexec "${process.execPath}" "${main}" "$@"\n`);
    await chmod(join(bin, 'lincir'), 0o755);
    const task = async (id: number) => {
      const array = { MIN: '0', MAX: '1', COUNT: '2', STEP: '1', ID: `${id}` };
      const slurm = Object.entries(array).map(([name, value]) => [`SLURM_ARRAY_TASK_${name}`, value]);
      const env = {
        ...{ ...process.env, ...environment, ...Object.fromEntries(slurm) },
        ...{ INDEX: 'array.lance', MODEL: model, SLURM_CPUS_PER_TASK: '1' },
        PATH: `${bin}:${process.env.PATH}`,
      };
      await run('bash', [script], { cwd: folder, env });
    };
    await Promise.all([task(0), task(1)]);
    assert.equal((await contentsOf(join(folder, 'array.lance'))).images.size, 12);
  });

  test('shellcheck finds nothing in the array', { skip }, async () => {
    if (typeof tools === 'string') return;
    assert.equal(await tools.shellcheck(join(examples, 'index-array.sh')), '');
    await writeFile(join(folder, 'wrong.sh'), '#!/bin/bash\nrm $1\n');
    assert.match(await tools.shellcheck(join(folder, 'wrong.sh')), /SC2086/);
  });

  test('the values have names that the chart knows, and settings that OpenSearch takes', {
    skip,
  }, async (context) => {
    if (typeof tools === 'string') return;
    const { extraEnvs } = values.parse(await tools.yaml(join(examples, 'opensearch-values.yaml')));
    const settings = extraEnvs.filter(({ name }) => name.includes('.'));
    assert.ok(settings.length >= 7);
    if (skipsCluster) {
      context.diagnostic(`${skipsCluster}: no name of a setting was compared`);
      return;
    }
    const path = '/_cluster/settings?include_defaults&flat_settings';
    const { defaults, persistent } = z
      .object({ defaults: z.record(z.string(), z.unknown()), persistent: z.record(z.string(), z.unknown()) })
      .parse(await (await askCluster('GET', path)).json());
    for (const { name } of settings) assert.ok(name in defaults || name in persistent, name);
  });
});
