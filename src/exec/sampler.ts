// Looks at what the command uses, again and again.
import { Gpus } from './gpu-use.ts';
import { cpuPercent } from './process-tree.ts';
import { treeUse } from './read-processes.ts';

export interface Sample {
  cpu_percent: number | undefined;
  rss_mb: number | undefined;
  gpu_percent: number | undefined;
  gpu_memory_mb: number | undefined;
}

/** Long enough for a program to have begun, soon enough for a short one. */
const FIRST_MS = 1000;

export interface SamplerOptions {
  pid: number;
  everyMs: number;
  take: (sample: Sample) => void;
}

export class Sampler {
  readonly #options: SamplerOptions;
  readonly #gpus = new Gpus();
  #timer: NodeJS.Timeout;
  #lastAt = performance.now();
  #lastCpu = 0;
  #isEnded = false;

  constructor(options: SamplerOptions) {
    this.#options = options;
    this.#timer = setTimeout(() => void this.#look(), Math.min(FIRST_MS, options.everyMs)).unref();
  }

  end(): void {
    this.#isEnded = true;
    clearTimeout(this.#timer);
  }

  /** Never rejects: both that it asks do not. */
  async #look(): Promise<void> {
    const { pid, everyMs, take } = this.#options;
    const startedAt = performance.now();
    const use = await treeUse(pid);
    if (use !== undefined && !this.#isEnded) {
      const now = performance.now();
      const cpu = cpuPercent(this.#lastCpu, use.cpuSeconds, (now - this.#lastAt) / 1000);
      this.#lastAt = now;
      this.#lastCpu = use.cpuSeconds;
      const gpu = await this.#gpus.use(use.pids);
      if (!this.#isEnded) {
        take({
          cpu_percent: rounded(cpu),
          rss_mb: rounded(use.rssMb),
          gpu_percent: rounded(gpu?.percent),
          gpu_memory_mb: rounded(gpu?.memoryMb),
        });
      }
    }
    if (this.#isEnded) return;
    const wait = Math.max(FIRST_MS / 2, everyMs - (performance.now() - startedAt));
    this.#timer = setTimeout(() => void this.#look(), wait).unref();
  }
}

/** To a tenth: more digits would be noise in every line. */
function rounded(value: number | undefined): number | undefined {
  return value === undefined ? undefined : Math.round(value * 10) / 10;
}
