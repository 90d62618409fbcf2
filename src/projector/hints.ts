// Looks that chokidar suggests. It misses changes and forgets files, so nothing depends on them: sweeps do.
import { watch } from 'chokidar';
import path from 'node:path';
import { EVENT_FILE_SUFFIX, EVENTS_DIR } from '../events/layout.ts';

export interface HintsOptions {
  /** The ledger's directory. */
  root: string;
  /** On a network file system, where inotify hears nothing of other machines. */
  usePolling: boolean;
  /** Files that need no watching. */
  isSettled: (file: string) => boolean;
  /** With the path relative to the ledger. */
  onHint: (file: string) => void;
  onError: (error: unknown) => void;
}

/** `events/<folder>/<file>` */
const DEPTH = 1;
const POLL_MS = 1_000;

/** Starts watching; returns how to stop. */
export function watchForHints(options: HintsOptions): () => Promise<void> {
  const { root, usePolling, isSettled, onHint, onError } = options;
  const relative = (absolute: string): string => path.relative(root, absolute).split(path.sep).join('/');
  const watcher = watch(path.join(root, EVENTS_DIR), {
    depth: DEPTH,
    usePolling,
    interval: POLL_MS,
    followSymlinks: false,
    // by default it takes a file renamed over another for a change, and leaves names like `run~` out
    atomic: false,
    awaitWriteFinish: false,
    ignored: (candidate, stats) =>
      stats?.isFile() === true && (!candidate.endsWith(EVENT_FILE_SUFFIX) || isSettled(relative(candidate))),
  });
  const hint = (absolute: string): void => onHint(relative(absolute));
  watcher.on('add', hint).on('change', hint).on('error', onError);
  return () => watcher.close();
}
