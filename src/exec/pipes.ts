// Pipes to a command's output. Node's own are sockets, which a script cannot open as /dev/stderr.
import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

export interface Pipe {
  /** For this process; reading does not block. */
  readFd: number;
  /** For the command; to be closed here when it has it. */
  writeFd: number;
}

/**
 * As many as asked for. Empty where they cannot be made: no `mkfifo`, or no temporary directory that can be written.
 */
export async function makePipes(count: number, tmp: string = os.tmpdir()): Promise<Pipe[]> {
  if (count === 0) return [];
  let folder: string | undefined;
  try {
    folder = fs.mkdtempSync(path.join(tmp, 'runfold-exec-'));
    const names = Array.from({ length: count }, (_, index) => `${folder}/${index}`);
    if (!(await isDone(spawn('mkfifo', ['-m', '600', ...names], { stdio: 'ignore' })))) return [];
    return names.map(openBothEnds);
  } catch {
    // sockets do for all but scripts that open /dev/stderr
    return [];
  } finally {
    // the open ends stay
    if (folder !== undefined) fs.rmSync(folder, { recursive: true, force: true });
  }
}

function openBothEnds(name: string): Pipe {
  // the reading end first, since opening the other one waits for it
  const readFd = fs.openSync(name, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
  return { readFd, writeFd: fs.openSync(name, fs.constants.O_WRONLY) };
}

async function isDone(child: ReturnType<typeof spawn>): Promise<boolean> {
  return await new Promise((resolve) => {
    child.once('error', () => resolve(false));
    child.once('exit', (code) => resolve(code === 0));
  });
}
