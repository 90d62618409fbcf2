// Pipes to a command's output. Node's own are sockets, which a script cannot open as /dev/stderr.
import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import path from 'node:path';

/** Where systems have `mkfifo`: to look for it elsewhere could take for ever. */
const PATH = '/usr/bin:/bin';

export interface Pipe {
  /** For this process; reading does not block. */
  readFd: number;
  /** For the command; to be closed here when it has it. */
  writeFd: number;
}

/**
 * As many as asked for, through the first of the directories where they can be made. Empty where they cannot be made in
 * any, or there is no `mkfifo`.
 */
export async function makePipes(count: number, directories: readonly string[]): Promise<Pipe[]> {
  if (count === 0) return [];
  for (const directory of new Set(directories)) {
    const pipes = await makePipesIn(directory, count);
    if (pipes.length > 0) return pipes;
  }
  // sockets do for all but scripts that open /dev/stderr
  return [];
}

async function makePipesIn(directory: string, count: number): Promise<Pipe[]> {
  let folder: string | undefined;
  try {
    folder = fs.mkdtempSync(path.join(directory, 'runfold-exec-'));
    const names = Array.from({ length: count }, (_, index) => `${folder}/${index}`);
    const mkfifo = spawn('mkfifo', ['-m', '600', ...names], { stdio: 'ignore', env: { PATH } });
    if (!(await isDone(mkfifo))) return [];
    return names.map(openBothEnds);
  } catch {
    // not there, full, or not ours to write
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
