// An sbatch that is a real process: it notes how it was called, and does what a test says.
import * as fs from 'node:fs';
import path from 'node:path';
import { tempDir } from '../events/temp-dir.ts';

export class FakeSbatch {
  readonly #directory = tempDir();
  readonly env: Readonly<Record<string, string>>;

  /** @param behaviour in sh */
  constructor(behaviour: string) {
    const file = path.join(this.#directory, 'sbatch');
    const note = `cd '${this.#directory}'; printf '%s\\n' "$@" > args; env > env`;
    fs.writeFileSync(file, `#!/bin/sh\n(${note})\necho $$ > '${this.#directory}/pid'\n${behaviour}\n`, {
      mode: 0o755,
    });
    this.env = { PATH: `${this.#directory}:${process.env['PATH'] ?? ''}` };
  }

  get wasCalled(): boolean {
    return fs.existsSync(this.#file('args'));
  }

  get args(): string[] {
    return fs.readFileSync(this.#file('args'), 'utf8').split('\n').slice(0, -1);
  }

  /** What the tasks would have. */
  variable(name: string): string | undefined {
    const line = fs
      .readFileSync(this.#file('env'), 'utf8')
      .split('\n')
      .find((each) => each.startsWith(`${name}=`));
    return line?.slice(name.length + 1);
  }

  get pid(): number {
    return Number(fs.readFileSync(this.#file('pid'), 'utf8'));
  }

  #file(name: string): string {
    return path.join(this.#directory, name);
  }
}
