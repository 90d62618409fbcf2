// Looks that chokidar suggests. It misses changes and forgets files, so nothing depends on them: sweeps do.
import { watch, type FSWatcher } from 'chokidar';
import path from 'node:path';

export interface HintsOptions {
  /** The ledger's directory. */
  root: string;
  /** With the path relative to the ledger. */
  onHint: (file: string) => void;
  onError: (error: unknown) => void;
}

/** Whoever suggests looks at the files that it is told to follow. */
export interface HintSource {
  follow(file: string): void;
  forget(file: string): void;
  stop(): Promise<void>;
}

/** inotify has 8,192 watches for all programs of a user on older kernels; the files beyond have the sweeps. */
const MOST_FILES = 1_000;

/** Watches files one by one: watching a folder costs a look at all of it for every line in one of its files. */
export class Hints implements HintSource {
  readonly #options: HintsOptions;
  readonly #watchers = new Map<string, FSWatcher>();
  readonly #closing = new Set<Promise<void>>();

  constructor(options: HintsOptions) {
    this.#options = options;
  }

  follow(file: string): void {
    if (this.#watchers.has(file) || this.#watchers.size >= MOST_FILES) return;
    const { root, onHint, onError } = this.#options;
    const watcher = watch(path.join(root, file), {
      followSymlinks: false,
      // by default it takes a file renamed over another for a change, and leaves names like `run~` out
      atomic: false,
      awaitWriteFinish: false,
    });
    watcher.on('add', () => onHint(file));
    watcher.on('change', () => onHint(file));
    watcher.on('error', onError);
    this.#watchers.set(file, watcher);
  }

  forget(file: string): void {
    const closing = this.#watchers.get(file)?.close();
    this.#watchers.delete(file);
    if (closing === undefined) return;
    this.#closing.add(closing);
    void closing.finally(() => this.#closing.delete(closing));
  }

  async stop(): Promise<void> {
    for (const file of this.#watchers.keys()) this.forget(file);
    await Promise.all(this.#closing);
  }
}
