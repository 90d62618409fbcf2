// node:fs/promises and node:fs in which the k-th asynchronous call below one directory fails. For `vi.mock`.
import type * as callbacks from 'node:fs';
import type * as fs from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { promisify } from 'node:util';
import { FaultPlan } from './fault-plan.ts';

type Fs = typeof fs;
type Callbacks = typeof callbacks;

/** The errno of what fails. */
export const fileFaults = new FaultPlan<string>();

/** Elsewhere nothing fails and nothing is counted. */
export const below = { root: '/nowhere' };

function meet(call: string): void {
  const code = fileFaults.meet(call);
  if (code !== undefined) throw Object.assign(new Error(`${code}: made to fail, ${call}`), { code });
}

function isBelow(path: unknown): boolean {
  // a file is opened through its folder
  return typeof path === 'string' && (path.startsWith(below.root) || path.startsWith('/proc/self/fd/'));
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

/** Of what takes a callback only what is made a promise of: open, fstat, read, close. */
export function faultyCallbacks(real: Callbacks): Callbacks & { default: Callbacks } {
  const descriptors = new Set<unknown>();
  const changed = { ...real } as Callbacks;
  const wrap = (name: 'open' | 'fstat' | 'read' | 'close', isMeant: (first: unknown) => boolean): void => {
    const original = real[name] as (...args: unknown[]) => void;
    const promised = promisify(original) as (...args: unknown[]) => Promise<unknown>;
    const failing = async (...args: unknown[]): Promise<unknown> => {
      if (!isMeant(args[0])) return await promised(...args);
      if (name !== 'close') meet(name);
      const value = await promised(...args);
      if (name === 'open') descriptors.add(value);
      if (name === 'close') {
        // the descriptor is gone, whatever close says
        descriptors.delete(args[0]);
        meet(name);
      }
      return value;
    };
    const unchanged = (...args: unknown[]): void => original(...args);
    Object.assign(changed, { [name]: Object.assign(unchanged, { [promisify.custom]: failing }) });
  };
  wrap('open', isBelow);
  for (const name of ['fstat', 'read', 'close'] as const)
    wrap(name, (descriptor) => descriptors.has(descriptor));
  return { ...changed, default: changed };
}
