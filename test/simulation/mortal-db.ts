// A database that may fail, or die with its process, before any statement.
import type { Db } from '../../src/db/open.ts';

const RUNS: ReadonlySet<string | symbol> = new Set(['run', 'get', 'all', 'iterate', 'exec', 'transaction']);

type Method = (...args: unknown[]) => unknown;

/** The same database; `before` is called ahead of each statement and may throw. */
export function mortalDb(db: Db, before: () => void): Db {
  return watched(db, before);
}

function watched<T extends object>(target: T, before: () => void): T {
  const methods = new Map<string | symbol, Method>();
  const proxy: T = new Proxy(target, {
    get(_, name): unknown {
      const known = methods.get(name);
      if (known !== undefined) return known;
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      const method: Method = (...args) => {
        if (RUNS.has(name)) before();
        const made: unknown = Reflect.apply(value, target, args);
        // what gives itself, as pluck() does, goes on being watched
        if (made === target) return proxy;
        return name === 'prepare' ? watched(made as object, before) : made;
      };
      methods.set(name, method);
      return method;
    },
  });
  return proxy;
}
