// A page played like a notebook: its Python blocks in one process and one namespace, the shell between them.
import { spawn, type ChildProcess } from 'node:child_process';
import * as fs from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';
import { fences, partsOf, textOf, type Part } from './documents.ts';
import type { Home } from './home.ts';

/** Says on fd 3 when a block is done. What the block prints, and the client on stderr, goes to one file. */
const SESSION = `
import json, os, sys, traceback
for line in sys.stdin:
    try:
        exec(compile(json.loads(line), "<block>", "exec"), sys.modules["__main__"].__dict__)
    except Exception:
        traceback.print_exc()
    sys.stdout.flush()
    os.write(3, b"done\\n")
`;

class Session {
  readonly #child: ChildProcess;
  readonly #output: string;
  readonly #done: AsyncIterator<string>;
  #read = 0;

  constructor(python: string, home: Home, cwd: string) {
    this.#output = path.join(home.path, 'session');
    const output = fs.openSync(this.#output, 'a');
    const stdio = ['pipe', output, output, 'pipe'] as const;
    const child = spawn(python, ['-c', SESSION], { cwd, env: home.env, stdio: [...stdio] });
    fs.closeSync(output);
    this.#child = child;
    const ended = new Promise((resolve) => child.once('close', resolve));
    onTestFinished(async () => {
      child.stdin?.end();
      await ended;
    });
    const said = child.stdio[3];
    if (said === null || said === undefined || !('read' in said)) throw new Error('no pipe from the session');
    this.#done = createInterface({ input: said })[Symbol.asyncIterator]();
  }

  /** What it prints. */
  async run(block: string): Promise<string> {
    this.#child.stdin?.write(`${JSON.stringify(block)}\n`);
    await this.#done.next();
    const printed = fs.readFileSync(this.#output, 'utf8').slice(this.#read);
    this.#read += printed.length;
    return printed;
  }
}

/**
 * The page as it should be: with what its blocks really print.
 *
 * A Python block that begins with `# NAME.py` is a file, which is run in its place if no console block runs it. What
 * any other one prints is in the `text` block after it. Nothing below the headings `without` is played. Blocks of other languages stay as they are.
 */
export async function playNotebook(
  text: string,
  home: Home,
  python: string,
  without: readonly string[] = [],
): Promise<string> {
  const cwd = home.folder('iris');
  home.command('python3', `exec '${python}' "$@"`);
  let session: Session | undefined;
  const parts = partsOf(text);
  const played: Part[] = [];
  const shell = fences(text, 'console').join('');
  for (let index = 0; index < parts.length; index += 1) {
    const part = parts[index];
    if (part === undefined) break;
    if (without.includes(part.heading)) {
      played.push(part);
    } else if (part.language === 'console') {
      played.push({ ...part, content: home.play(part.content, cwd) });
    } else if (part.language === 'python') {
      played.push(part);
      const name = /^# (\w+\.py)$/.exec(part.content.split('\n', 1)[0] ?? '')?.[1];
      if (name !== undefined) fs.writeFileSync(path.join(cwd, name), part.content);
      if (name !== undefined && shell.includes(`python3 ${name}`)) continue;
      session ??= new Session(python, home, cwd);
      const printed = name === undefined ? await session.run(part.content) : home.run(`python3 ${name}`, cwd);
      const [between, output] = parts.slice(index + 1, index + 3);
      const isShown = output?.language === 'text' && between?.content.trim() === '';
      if (isShown) index += 2;
      if (isShown || printed !== '') {
        const gap = { ...part, language: undefined, content: '\n\n' };
        played.push(gap, { ...part, language: 'text', content: printed });
      }
    } else {
      played.push(part);
    }
  }
  return textOf(played);
}
