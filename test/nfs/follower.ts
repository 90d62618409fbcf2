// `runfold watch` on a node, its database in the node's memory, and what can be asked about it.
import type { Started } from '../process/cli-process.ts';
import { eventually, RUNFOLD, type Lab, type Node } from './lab.ts';

/** Without Node, which takes its time to start on a node. Prints the rows of each statement as JSON. */
const QUERY = `
import json, sqlite3, sys
db = sqlite3.connect("file:" + sys.argv[1] + "?mode=ro", uri=True, timeout=20)
print(json.dumps([db.execute(sql).fetchall() for sql in sys.argv[2:]]))
`;
const QUERY_FILE = 'query.py';

export class Follower {
  readonly node: Node;
  readonly env: string;
  readonly #lab: Lab;
  readonly #db: string;
  #watch: Started | undefined;

  constructor(lab: Lab, node: Node, ledger: string, db: string) {
    this.#lab = lab;
    this.node = node;
    this.#db = db;
    this.env = `RUNFOLD_DIR=${ledger} RUNFOLD_DB=${db}`;
  }

  watch(): void {
    const command = `echo $$ >${this.#pidFile}; ${this.env} exec ${RUNFOLD} watch`;
    this.#watch = this.#lab.begin(this.node, command);
  }

  /** What `watch` has said so far. */
  get said(): string {
    return this.#watch?.stdout ?? '';
  }

  /** @param after how much `watch` had said before */
  async says(text: string, after = 0): Promise<void> {
    await eventually(`watch says ${text}: ${this.said}`, () => this.said.slice(after).includes(text));
  }

  /** The exit code, as a shell tells it. */
  async signal(signal: 'INT' | 'TERM'): Promise<number | null> {
    await this.#lab.output(this.node, `kill -${signal} $(cat ${this.#pidFile})`);
    return (await this.#watch?.ended)?.code ?? null;
  }

  /** A command of runfold beside it. */
  async run(command: string): Promise<{ code: number | null; stdout: string }> {
    return await this.#lab.run(this.node, `cd /; ${this.env} ${RUNFOLD} ${command}`);
  }

  async rows(sql: string): Promise<unknown[][]> {
    const [rows = []] = await this.#ask([sql]);
    return rows;
  }

  /** All rows of these tables. */
  async tables(names: readonly string[]): Promise<unknown[][][]> {
    return await this.#ask(names.map((name) => `SELECT * FROM ${name} ORDER BY 1, 2, 3`));
  }

  async #ask(statements: readonly string[]): Promise<unknown[][][]> {
    if (!this.#lab.has(QUERY_FILE)) this.#lab.write(QUERY_FILE, QUERY);
    const given = statements.map((sql) => `"${sql}"`).join(' ');
    const text = await this.#lab.output(this.node, `python3 /lab/${QUERY_FILE} ${this.#db} ${given}`);
    return JSON.parse(text) as unknown[][][];
  }

  /** By seed: the steps in the table of metrics, each as often as it is there. */
  async steps(): Promise<Map<number, number[]>> {
    const rows = await this.rows(
      'SELECT seed, step FROM run_metrics JOIN experiment_runs USING (run_id) ORDER BY seed, step',
    );
    const steps = new Map<number, number[]>();
    for (const [seed, step] of rows as [number, number][])
      steps.set(seed, [...(steps.get(seed) ?? []), step]);
    return steps;
  }

  get #pidFile(): string {
    return `/lab/watch-${this.node}.pid`;
  }
}
