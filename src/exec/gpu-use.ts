// What the processes of the command use of GPUs, as nvidia-smi says.
import { askProgram, isNotFound } from './ask-program.ts';

export interface GpuUse {
  /** Of the GPUs that the processes are on, their mean. */
  percent: number | undefined;
  memoryMb: number;
}

const ASK_MS = 10_000;
const MAX_FAILURES = 3;

/** @param apps gpu_uuid, pid, used_memory a line; @param gpus uuid, utilization.gpu a line; undefined if none is used */
export function parseGpuUse(apps: string, gpus: string, pids: ReadonlySet<number>): GpuUse | undefined {
  const own = rows(apps).filter(([, pid]) => pids.has(Number(pid)));
  if (own.length === 0) return undefined;
  const used = new Set(own.map(([uuid]) => uuid));
  const percents = rows(gpus)
    .filter(([uuid]) => used.has(uuid))
    .map(([, percent]) => numberOf(percent))
    .filter((percent) => percent !== undefined);
  const memory = own.map(([, , mb]) => numberOf(mb)).filter((mb) => mb !== undefined);
  if (percents.length === 0 && memory.length === 0) return undefined;
  return {
    percent: percents.length === 0 ? undefined : total(percents) / percents.length,
    memoryMb: total(memory),
  };
}

function rows(text: string): string[][] {
  return text.split('\n').map((line) => line.split(',').map((cell) => cell.trim()));
}

/** `[N/A]` and the like are no numbers. */
function numberOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : undefined;
}

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

export class Gpus {
  #failures = 0;

  /** Undefined where there is nothing to say. Where nvidia-smi is not, or fails again and again, it is asked no more. */
  async use(pids: ReadonlySet<number>): Promise<GpuUse | undefined> {
    if (this.#failures >= MAX_FAILURES) return undefined;
    try {
      const apps = await query('--query-compute-apps=gpu_uuid,pid,used_memory');
      const isOnOne = rows(apps).some(([, pid]) => pids.has(Number(pid)));
      const gpus = isOnOne ? await query('--query-gpu=uuid,utilization.gpu') : '';
      this.#failures = 0;
      return parseGpuUse(apps, gpus, pids);
    } catch (error) {
      this.#failures = isNotFound(error) ? MAX_FAILURES : this.#failures + 1;
      return undefined;
    }
  }
}

async function query(what: string): Promise<string> {
  return await new Promise((resolve, reject) => {
    const options = { timeout: ASK_MS, killSignal: 'SIGKILL' } as const;
    const asked = askProgram(
      'nvidia-smi',
      [what, '--format=csv,noheader,nounits'],
      options,
      (error, stdout) => {
        if (error === null) resolve(stdout);
        else reject(error);
      },
    );
    // the end of the command is not delayed for it
    asked.unref();
  });
}
