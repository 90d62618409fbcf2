// `runfold exec` while the server's kernel is stopped: its clients wait for ever, the command does not.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Ended, Started } from '../process/cli-process.ts';
import { eventually, PATIENCE_MS, RUNFOLD, type Lab } from './lab.ts';

const LEDGER = '/nfs/exec/.runfold';
const TEST_MS = 3 * PATIENCE_MS;
/** Prints a line as long as it lives, and ends with 7 when its file is there, with 8 by SIGTERM. */
const COMMAND = `
trap 'echo USR1' USR1
trap 'echo TERM; exit 8' TERM
echo began
until [ -e "$1" ]; do echo step; sleep 0.2; done
exit 7
`;

/** One command below exec. */
class Execution {
  readonly #lab: Lab;
  readonly #name: string;
  readonly #started: Started;

  constructor(lab: Lab, name: string, options: string) {
    this.#lab = lab;
    this.#name = name;
    lab.write('command.sh', COMMAND);
    const exec = `${RUNFOLD} exec --dataset nfs --method ${name} ${options} -- sh /lab/command.sh /lab/${name}.end`;
    // its exit code is out of the reach of the connection to the node
    const line = `cd /; export RUNFOLD_DIR=${LEDGER}; ${exec}; echo $? >/lab/${name}.code`;
    this.#started = lab.begin('n1', `sh -c 'echo $$ >/lab/${name}.shell; ${line}'`);
  }

  get said(): string {
    return this.#started.stdout;
  }

  async says(text: string): Promise<void> {
    await eventually(`${this.#name} says ${text}: ${this.said}`, () => this.said.includes(text));
  }

  /** Its output still comes. */
  async goesOn(): Promise<void> {
    const { length } = this.said;
    await eventually('more is printed', () => this.said.slice(length).includes('step\nstep\n'));
  }

  /** To exec alone. */
  async signal(signal: 'USR1' | 'TERM'): Promise<void> {
    await this.#lab.output('n1', `pkill -${signal} -P "$(cat /lab/${this.#name}.shell)" -f 'main.js exec'`);
  }

  end(): void {
    this.#lab.write(`${this.#name}.end`, '');
  }

  async code(): Promise<string> {
    return await eventually(
      `it has ended: ${this.said}`,
      () => this.#lab.read(`${this.#name}.code`).trim() || undefined,
    );
  }

  async ended(): Promise<Ended> {
    return await this.#started.ended;
  }
}

export function describeExec(lab: Lab): void {
  describe('a command below exec, on a server that does not answer', () => {
    let before: Execution;
    let during: Execution;

    const events = async (method: string): Promise<string[]> => {
      const files = `$(grep -l '"method":"${method}"' ${LEDGER}/events/*/*.ndjson)`;
      const text = await lab.output('login', `ls ${LEDGER}/events/* >/dev/null; cat ${files}`);
      return text.split('\n').filter((line) => line !== '');
    };

    beforeAll(async () => {
      await lab.output('login', `mkdir -p /nfs/exec && ${RUNFOLD} init ${LEDGER}`);
      before = new Execution(lab, 'before', '--log-wait 1h');
      await before.says('began');
      await lab.does('hang', 'server');
      during = new Execution(lab, 'during', '--log-wait 1s');
    }, TEST_MS);

    afterAll(async () => {
      await lab.does('resume', 'server');
    }, TEST_MS);

    test(
      'one that ran before goes on, its output flows, and a signal reaches it',
      async () => {
        await before.goesOn();
        await before.signal('USR1');
        await before.says('USR1\n');
        before.end();
        await before.says('the command has ended, what is recorded of it waits');
      },
      TEST_MS,
    );

    test(
      'one that is started meanwhile runs, and ends with its exit code, its events in the spool',
      async () => {
        await during.says('has not answered since');
        await during.goesOn();
        await during.signal('TERM');
        expect(await during.code()).toBe('8');
        expect((await during.ended()).stdout).toMatch(/TERM\n[^]* events are in /);
      },
      TEST_MS,
    );

    test(
      'when the server answers again the end is recorded, and the exit code is the command’s',
      async () => {
        await lab.does('resume', 'server');
        expect(await before.code()).toBe('7');
        const said = await before.ended();
        expect(said.stdout).toContain('the log is written again; nothing was lost');
        expect(said.stdout).not.toContain('spool');
        const lines = await events('before');
        expect(lines.filter((line) => line.includes('"exit_code":7'))).toHaveLength(1);
        expect(lines.at(-1)).toContain('writer_closed');
      },
      TEST_MS,
    );
  });
}
