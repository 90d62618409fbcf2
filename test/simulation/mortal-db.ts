// A database that may fail, or die with its process, before any statement.
const RUNS: ReadonlySet<string | symbol> = new Set(['run', 'get', 'all', 'iterate', 'exec', 'transaction']);

/** The same database; `before` is called ahead of each statement and may throw. */
export function mortalDb<T extends object>(target: T, before: () => void): T {
  const proxy: T = new Proxy(target, {
    get(_, name): unknown {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]): unknown => {
        if (RUNS.has(name)) before();
        const made: unknown = Reflect.apply(value, target, args);
        // what gives itself, as pluck() does, goes on being watched
        if (made === target) return proxy;
        return name === 'prepare' ? mortalDb(made as object, before) : made;
      };
    },
  });
  return proxy;
}
