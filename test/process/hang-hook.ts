// A shared storage that hangs, for any Node process: a module that makes each call to files below a folder wait while
// another file is there. Uninterruptible, as on a hard mount: of the process only the thread that has made the call waits.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

/** For NODE_OPTIONS. @param folder is seen as a mount of NFS, which hangs while the file `while` is there. */
export function hangHook(dir: string, folder: string, whileThere: string): string {
  const file = path.join(dir, 'hang-hook.mjs');
  writeFileSync(
    file,
    HOOK.replace('FOLDER', JSON.stringify(folder)).replace('WHILE', JSON.stringify(whileThere)),
  );
  return `--import=${pathToFileURL(file).href}`;
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
