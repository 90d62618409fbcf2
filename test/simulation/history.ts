// Random histories: what writers, people, the network file system and projectors do, and when.
import fc from 'fast-check';
import { line } from '../law/history.ts';
import { JOBS } from './jobs.ts';
import { SPELLS, type SpellKind } from './spells.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

export interface Settings {
  pageBytes: number;
  skewsMs: number[];
  writersSetTimes: boolean;
  /** Of the two nodes with projectors. */
  machineSkewsMs: number[];
  /** Whether lines are parsed ahead, as if there were much to read. */
  ahead: boolean;
  /** Whether `verify` and a rebuild of the live database are the proof, or a new database. */
  verifies: boolean;
}

export type Action =
  | { type: 'write'; job: number; lines: string[]; sync: boolean }
  | { type: 'shortWrite'; job: number; line: string; bytes: number }
  | { type: 'writeBack'; job: number; perMille: number; seed: number }
  | { type: 'fsync' | 'close' | 'killJob' | 'powerCut'; job: number }
  | { type: 'rival'; job: number; origin: string }
  | { type: 'remove'; file: number }
  | { type: 'putBack'; file: number }
  | { type: 'truncate'; file: number; perMille: number }
  | { type: 'spell'; node: number; kind: SpellKind; ms: number; perMille: number; seed: number }
  | { type: 'remount' | 'kill' | 'restart' | 'rebuild' | 'verify'; node: number }
  | { type: 'pass'; node: number; thorough: boolean | undefined }
  | { type: 'hint'; node: number; file: number }
  | { type: 'watch'; node: number; ms: number }
  | { type: 'arm'; node: number; what: 'call' | 'statement' | 'full'; k: number }
  | { type: 'setClock'; node: number; skewMs: number };

/** `afterMs` is the time since the action before. */
export type Step = Action & { afterMs: number };

export interface History {
  settings: Settings;
  steps: Step[];
}

const job = fc.nat({ max: JOBS - 1 });
const node = fc.nat({ max: 1 });
const file = fc.nat({ max: 7 });
const seed = fc.nat({ max: 0x7f_ff_ff_ff });
const perMille = fc.constantFrom(1000, 1000, 500, 200);
const skew = fc.constantFrom(0, 0, 0, HOUR, -HOUR, 2 * SECOND);

/** Most things follow one another within a pass; some a minute or an hour later. */
const afterMs = fc.oneof(
  { weight: 9, arbitrary: fc.nat({ max: 20 }) },
  { weight: 6, arbitrary: fc.nat({ max: 3 * SECOND }) },
  { weight: 2, arbitrary: fc.nat({ max: 70 * SECOND }) },
  { weight: 1, arbitrary: fc.nat({ max: 20 * MINUTE }) },
  { weight: 1, arbitrary: fc.nat({ max: 2 * HOUR }) },
);

function action<T extends Action['type'], R extends object>(
  type: T,
  fields: { [K in keyof R]: fc.Arbitrary<R[K]> },
): fc.Arbitrary<{ type: T } & R> {
  return fc.record(fields).map((made) => ({ type, ...(made as R) }));
}

const spell = fc
  .record({
    node,
    kind: fc.constantFrom(...SPELLS),
    ms: fc.oneof(fc.nat({ max: 5 * SECOND }), fc.nat({ max: 3 * MINUTE }), fc.nat({ max: HOUR })),
    perMille,
    seed,
  })
  .map((made) => ({ type: 'spell' as const, ...made }));

const weighted: [number, fc.Arbitrary<Action>][] = [
  [30, action('write', { job, lines: fc.array(line, { minLength: 1, maxLength: 3 }), sync: fc.constantFrom(true, true, false) })],
  [3, action('shortWrite', { job, line, bytes: fc.nat({ max: 120 }) })],
  [6, action('writeBack', { job, perMille, seed })],
  [4, action('fsync', { job })],
  [2, action('close', { job })],
  [2, action('killJob', { job })],
  [2, action('powerCut', { job })],
  [1, action('rival', { job, origin: fc.constantFrom('a', 'z') })],
  [2, action('remove', { file })],
  [2, action('truncate', { file, perMille: fc.nat({ max: 999 }) })],
  [4, action('putBack', { file })],
  [10, spell],
  [1, action('remount', { node })],
  [18, action('pass', { node, thorough: fc.constantFrom(true, false, undefined) })],
  [4, action('hint', { node, file })],
  [2, action('watch', { node, ms: fc.nat({ max: 10 * SECOND }) })],
  [5, action('arm', { node, what: fc.constantFrom('call' as const, 'statement' as const, 'full' as const), k: fc.nat({ max: 25 }) })],
  [2, action('kill', { node })],
  [2, action('restart', { node })],
  [1, action('rebuild', { node })],
  [1, action('verify', { node })],
  [2, action('setClock', { node, skewMs: skew })],
]; // prettier-ignore

const step: fc.Arbitrary<Step[]> = fc
  .tuple(fc.oneof(...weighted.map(([weight, arbitrary]) => ({ weight, arbitrary }))), afterMs)
  .map(([made, after]) => [{ ...made, afterMs: after }]);

/** What has to come together to matter, each within a second of the one before. */
const scene: fc.Arbitrary<Step[]> = fc
  .record({ node, job, other: job, file, seed, k: fc.nat({ max: 6 }), kind: fc.constantFrom(...SPELLS), ms: fc.nat({ max: 30 * SECOND }),
    lines: fc.array(line, { minLength: 3, maxLength: 3 }), gaps: fc.array(fc.nat({ max: SECOND }), { minLength: 8, maxLength: 8 }),
    which: fc.nat({ max: 7 }) })
  .map(({ node: at, job: by, other, file: of, seed: from, k, kind, ms, lines, gaps, which }) => {
    const write: Action = { type: 'write', job: by, lines, sync: true };
    const pass: Action = { type: 'pass', node: at, thorough: false };
    const cast = (what: SpellKind): Action => ({ type: 'spell', node: at, kind: what, ms: MINUTE + ms, perMille: 1000, seed: from });
    const scenes: Action[][] = [
      // a node with bad weather and work to do
      [cast(kind), write, pass, write, pass],
      [cast('errors'), write, pass, pass],
      [cast('pagesLate'), write, pass, { ...write, job: other }, pass, pass],
      // a file is put back by a copy of it
      [pass, cast('oldFile'), { type: 'remove', file: of }, { type: 'putBack', file: of }, pass, { type: 'hint', node: at, file: of }],
      [pass, cast('negative'), { type: 'remove', file: of }, pass, { type: 'putBack', file: of }, pass],
      // its inode number goes to a new file
      [pass, cast('sizeLate'), { type: 'remove', file: of }, { type: 'killJob', job: by }, write, pass, { type: 'putBack', file: of }, pass],
      // some pages are on the server when the power goes
      [{ ...write, sync: false }, { type: 'writeBack', job: by, perMille: 500, seed: from }, { type: 'powerCut', job: by }, pass, write],
      [{ type: 'arm', node: at, what: 'call', k }, { type: 'rebuild', node: at }],
    ];
    return (scenes[which] ?? []).map((made, index): Step => ({ ...made, afterMs: gaps[index] ?? 0 }));
  }); // prettier-ignore

const settings: fc.Arbitrary<Settings> = fc.record({
  pageBytes: fc.constantFrom(32, 128, 512, 4096),
  skewsMs: fc.array(skew, { minLength: JOBS, maxLength: JOBS }),
  writersSetTimes: fc.boolean(),
  machineSkewsMs: fc.array(skew, { minLength: 2, maxLength: 2 }),
  ahead: fc.boolean(),
  verifies: fc.constantFrom(true, false, false, false),
});

export const history: fc.Arbitrary<History> = fc.record({
  settings,
  steps: fc
    .array(fc.oneof({ weight: 9, arbitrary: step }, { weight: 1, arbitrary: scene }), {
      minLength: 8,
      maxLength: 30,
      size: 'max',
    })
    .map((parts) => parts.flat()),
});
