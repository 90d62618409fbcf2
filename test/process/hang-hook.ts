// A shared storage that hangs, for any Node process: a module that makes each call to files below a folder wait while
// another file is there. Uninterruptible, as on a hard mount: of the process only the thread that has made the call waits.
import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

/** A folder that processes with `nodeOptions` see as a mount of NFS, which hangs between `hang` and `answer`. */
export class HangingMount {
  /** For NODE_OPTIONS. */
  readonly nodeOptions: string;
  readonly #hung: string;

  /** @param dir where the module will be */
  constructor(dir: string, folder: string) {
    this.#hung = path.join(dir, 'hung');
    const file = path.join(dir, 'hang-hook.mjs');
    writeFileSync(
      file,
      HOOK.replace('FOLDER', JSON.stringify(folder)).replace('WHILE', JSON.stringify(this.#hung)),
    );
    this.nodeOptions = `--import=${pathToFileURL(file).href}`;
  }

  hang(): void {
    writeFileSync(this.#hung, '');
  }

  answer(): void {
    rmSync(this.#hung);
  }
}

const HOOK = `
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const folder = FOLDER;
const isThere = fs.existsSync;
const cell = new Int32Array(new SharedArrayBuffer(4));
const inFolder = new Set();

function isInside(at) {
  return typeof at === 'number' ? inFolder.has(at) : String(at) === folder || String(at).startsWith(folder + '/');
}

const calls = ['openSync', 'writeSync', 'fsyncSync', 'fstatSync', 'statSync', 'lstatSync', 'readdirSync', 'mkdirSync',
  'readFileSync', 'readSync', 'linkSync', 'rmSync', 'closeSync', 'existsSync'];
for (const name of calls) {
  const real = fs[name];
  fs[name] = (at, ...more) => {
    if (at === '/proc/self/mountinfo') return real(at, ...more) + '999 1 0:999 / ' + folder + ' rw - nfs4 server:/ rw\\n';
    const inside = isInside(at);
    if (inside) while (isThere(WHILE)) Atomics.wait(cell, 0, 0, 10);
    const result = real(at, ...more);
    if (name === 'openSync') {
      if (inside) inFolder.add(result);
      else inFolder.delete(result);
    }
    return result;
  };
}
syncBuiltinESMExports();
`;
