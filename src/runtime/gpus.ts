/** The GPUs that drivers report, by the tools that come with them. */

import { execFileSync } from 'node:child_process';
import { canLoad } from './shared-library.ts';

export interface Gpu {
  readonly name: string;
  readonly driver: string;
  /** Memory in bytes, where it is told. */
  readonly memory?: number;
}

/** NVIDIA's GPUs, by `nvidia-smi`, which comes with the driver; none without it. */
export function nvidiaGpus(): Gpu[] {
  const query = ['--query-gpu=name,driver_version,memory.total', '--format=csv,noheader,nounits'];
  return output('nvidia-smi', query)
    .trim()
    .split('\n')
    .map((line) => line.split(', '))
    .filter((fields) => fields.length === 3)
    .map(([name, driver, mebibytes]) => ({
      name: name!,
      driver: driver!,
      memory: Number(mebibytes) * 2 ** 20,
    }));
}

/** What Vulkan offers, by `vulkaninfo` of the package vulkan-tools; undefined without it. */
export function vulkanGpus(): Gpu[] | undefined {
  const summary = output('vulkaninfo', ['--summary']);
  if (summary === '') return undefined;
  const field = (text: string, key: string) => RegExp(`${key}\\s*= (.*)`).exec(text)?.[1]?.trim() ?? '';
  return summary
    .split(/^GPU\d+:/m)
    .slice(1)
    .map((text) => ({ name: field(text, 'deviceName'), driver: field(text, 'driverInfo') }));
}

/** What WebGPU needs on this platform, and what to do about it. */
export function webgpuNeeds(): string {
  if (process.platform === 'darwin') return 'WebGPU needs a GPU with Metal';
  if (process.platform === 'win32') return "WebGPU needs a GPU and its maker's driver with Direct3D 12";
  if (!canLoad('libvulkan.so.1')) {
    return "WebGPU needs Vulkan's loader: install libvulkan1 (vulkan-loader on Fedora), then the GPU's driver";
  }
  const tooOld = oldMesa(vulkanGpus() ?? []);
  if (tooOld) return tooOld;
  const named = process.env.VK_DRIVER_FILES || process.env.VK_ICD_FILENAMES;
  const only = named ? ` (VK_DRIVER_FILES allows only ${named})` : '';
  return `WebGPU needs the GPU's Vulkan driver: NVIDIA's own, or mesa-vulkan-drivers for AMD and Intel, until \`vulkaninfo --summary\` of vulkan-tools lists the GPU${only}`;
}

/** The Mesa that WebGPU was seen to run on. Debian 12's 22.3 lacks what WebGPU requires of Vulkan. */
const provenMesa = { version: '25.0.7', major: 25 };

/** What to do if all that Vulkan offers is of an older Mesa; undefined otherwise. WebGPU itself only says that it finds no GPU. */
export function oldMesa(gpus: readonly Gpu[]): string | undefined {
  const versions = gpus.map(({ driver }) => /^Mesa (\d+)[\d.]*/.exec(driver));
  const [first] = versions;
  if (!first || !versions.every((version) => version && Number(version[1]) < provenMesa.major))
    return undefined;
  return `Vulkan lists ${gpus[0]!.name}, but ${first[0]} may be too old for WebGPU, which then names what Vulkan lacks in a line above, such as \`shaderUniform*ArrayDynamicIndexing\`: install Mesa ${provenMesa.version} or newer (on Debian 12, from its backports)`;
}

/** The output of a program; empty if it is not there or fails. */
function output(program: string, options: readonly string[]): string {
  try {
    const stdio: ['ignore', 'pipe', 'ignore'] = ['ignore', 'pipe', 'ignore'];
    return execFileSync(program, options, { encoding: 'utf8', timeout: 10_000, stdio });
  } catch {
    return '';
  }
}
