// node:fs/promises in which the k-th call below one directory fails. For `vi.mock('node:fs/promises', …)`.
import type * as fs from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { FaultPlan } from './fault-plan.ts';

type Fs = typeof fs;

/** The errno of what fails. */
export const fileFaults = new FaultPlan<string>();

/** Elsewhere nothing fails and nothing is counted. */
export const below = { root: '/nowhere' };

function meet(call: string): void {
  const code = fileFaults.meet(call);
  if (code !== undefined) throw Object.assign(new Error(`${code}: made to fail, ${call}`), { code });
}

function isBelow(path: unknown): boolean {
  return typeof path === 'string' && path.startsWith(below.root);
}

function faulty(handle: FileHandle): FileHandle {
  const { stat, read, close } = handle;
  return Object.assign(handle, {
    stat: async (...args: Parameters<typeof stat>) => {
      meet('fstat');
      return await stat.apply(handle, args);
    },
    read: async (...args: unknown[]) => {
      meet('read');
      return await (read as (...args: unknown[]) => Promise<unknown>).apply(handle, args);
    },
    close: async () => {
      // the descriptor is gone, whatever close says
      await close.call(handle);
      meet('close');
    },
  });
}

export function faultyFs(real: Fs): Fs & { default: Fs } {
  const open = async (...args: Parameters<Fs['open']>): Promise<FileHandle> => {
    if (!isBelow(args[0])) return await real.open(...args);
    meet('open');
    return faulty(await real.open(...args));
  };
  const counted = <Args extends unknown[], Value>(name: string, call: (...args: Args) => Promise<Value>) => {
    return async (...args: Args): Promise<Value> => {
      if (isBelow(args[0])) meet(name);
      return await call(...args);
    };
  };
  const changed = {
    ...real,
    open,
    readdir: counted('readdir', real.readdir as (...args: unknown[]) => Promise<unknown>),
    readFile: counted('readFile', real.readFile as (...args: unknown[]) => Promise<unknown>),
  } as Fs;
  return { ...changed, default: changed };
}
