// The home of somebody who tries what the documents show, in a directory that stands for `/`.
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import path from 'node:path';
import { tempDir } from '../events/temp-dir.ts';
import { cleanEnv } from '../process/cli-process.ts';
import { builtDir } from './built.ts';

export class Home {
  readonly #root = tempDir();
  readonly #databases = path.join(this.#root, 'var/tmp/runfold-1000');
  readonly path = path.join(this.#root, 'home/ada');
  #env: NodeJS.ProcessEnv;

  constructor() {
    const bin = path.join(this.#root, 'bin');
    this.#env = cleanEnv({
      HOME: this.path,
      RUNFOLD_DB: this.#database('iris'),
      PATH: `${bin}:${process.env['PATH'] ?? ''}`,
    });
    fs.mkdirSync(this.path, { recursive: true });
    const cli = path.join(builtDir(), 'cli/main.js');
    const database = `${this.#databases}/"$(basename "$PWD").db"`;
    this.command('runfold', `RUNFOLD_DB=${database} exec '${process.execPath}' '${cli}' "$@"`);
  }

  /** What the shell and the processes in it see. */
  get env(): NodeJS.ProcessEnv {
    return this.#env;
  }

  /** One for each log, as by default; that one would have a random name, where those of users are. */
  #database(folder: string): string {
    return path.join(this.#databases, `${folder}.db`);
  }

  /** Puts a command on the PATH. */
  command(name: string, script: string): void {
    const file = path.join(this.#root, 'bin', name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  }

  folder(name: string): string {
    const folder = path.join(this.path, name);
    fs.mkdirSync(folder, { recursive: true });
    return folder;
  }

  /** Runs the `$ ` lines of a console block in a shell; gives the block as it should be: them and what they print. */
  play(console: string, cwd: string): string {
    const commands = console.split('\n').filter((line) => line.startsWith('$ '));
    return this.run(
      commands.map((line) => `cat <<'SHOWN'\n${line}\nSHOWN\n${line.slice(2)}`).join('\n'),
      cwd,
    );
  }

  /** What a script of bash prints; what it exports stays for the next one. */
  run(script: string, cwd: string): string {
    const environment = path.join(this.#root, 'environment');
    const whole = `exec 2>&1\n${script}\nenv -0 >'${environment}'`;
    const { stdout } = spawnSync('bash', ['-c', whole], { cwd, env: this.#env, encoding: 'utf8' });
    const entries = fs.readFileSync(environment, 'utf8').split('\0');
    this.#env = Object.fromEntries(entries.filter((entry) => entry !== '').map(splitEntry));
    return stdout;
  }

  /** Without what is another from time to time and from machine to machine. */
  normal(text: string): string {
    return text
      .replaceAll(this.#root, '')
      .replaceAll(/^(database +\/var\/tmp\/runfold-1000\/)\S+/gm, '$1<ledger_id>.db')
      .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z \([\d.]+ s ago\)/g, '<time> (<age> ago)')
      .replaceAll(/\b[\d.]+ (?:s|min)\b/g, '<duration>')
      .replaceAll(/ {2,}/g, '  ')
      .replaceAll(/^as of \d{4}-\d\d-\d\dT[\d:.]+Z$/gm, 'as of <time>');
  }
}

function splitEntry(entry: string): [string, string] {
  const equals = entry.indexOf('=');
  return [entry.slice(0, equals), entry.slice(equals + 1)];
}
