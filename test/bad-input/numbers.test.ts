// Numbers from the text of a line to a column and back: the same double, or no row at all.
import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { given, type Outcome } from '../helpers/given.ts';
import {
  A,
  RUN,
  at,
  created,
  file,
  metric,
  notes,
  sample,
  slurm,
  text,
  writerFile,
} from '../helpers/lines.ts';
import { TempLedger } from '../helpers/temp-ledger.ts';

/** Points whose loss is written just so. */
function lossesWritten(...losses: string[]): string {
  return losses
    .map((loss) => `${text(metric(1, { loss: 0 })).replace('"loss":0', `"loss":${loss}`)}\n`)
    .join('');
}

function lossesRead(outcome: Outcome): unknown[] {
  return outcome.rows('run_metrics').map(({ loss }) => loss);
}

const EDGES = [
  0, 5e-324, -5e-324, 2.2250738585072014e-308, 2.225073858507201e-308, 1.7976931348623157e308, -1.7976931348623157e308, 0.1, 1 / 3,
  2 ** 53, 2 ** 53 + 2, 2 ** 63, -(2 ** 63), 2 ** 64, 1e21, 1e-7, 123456789012345680000, Math.PI, 1 + Number.EPSILON,
]; // prettier-ignore

test('every finite double is stored as it is, -0 as 0', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { minLength: 1, maxLength: 200 }),
      async (values) => {
        const ledger = new TempLedger(
          notes(lossesWritten(...[...values, ...EDGES].map((value) => JSON.stringify(value)))),
        );
        const read = lossesRead(await ledger.pass());
        expect(read).toEqual([...values, ...EDGES].map((value) => value + 0));
        expect(read.some((value) => Object.is(value, -0))).toBe(false);
      },
    ),
    { numRuns: 30 },
  );
});

test('the summary of a run has the same doubles as its points', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { minLength: 1, maxLength: 20 }),
      async (values) => {
        const points = values.map((value) => metric(1, { loss: value, f1: value, extra: { m: value } }));
        const [results] = (await given(writerFile(A, created(0), ...points))).rows('run_results');
        const plain = values.map((value) => value + 0);
        const [min, max, final] = [Math.min(...plain), Math.max(...plain), plain.at(-1)];
        expect(results).toMatchObject({ best_loss: min, best_f1: max, final_loss: final });
        expect(JSON.parse(String(results?.['extra']))).toEqual({ m: { min, max, final } });
      },
    ),
    { numRuns: 100 },
  );
});

test('any spelling of a number that JSON has is that number', async () => {
  const written = {
    '1e2': 100,
    '1E+2': 100,
    '100.0': 100,
    '0.1e3': 100,
    '-0': 0,
    '-0.0': 0,
    '0.30000000000000004': 0.1 + 0.2,
    '1e-400': 0,
  };
  expect(lossesRead(await given(notes(lossesWritten(...Object.keys(written)))))).toEqual(
    Object.values(written),
  );
});

test('what is no number of JSON rejects its line, and a number beyond a double too', async () => {
  const none = ['NaN', 'Infinity', '-Infinity', '+1', '01', '.5', '1.', '0x10', '1_000', '١'];
  (await given(notes(lossesWritten(...none)))).expectRejected(...none.map(() => 'not_json'));
  const beyond = ['1e309', '-1e309', '1e999999999', '9'.repeat(400), 'true', '"1"', '"nan"', '[1]', '{}'];
  (await given(notes(lossesWritten(...beyond)))).expectRejected(...beyond.map(() => 'bad_field'));
});

describe('whole numbers', () => {
  const steps = (...written: string[]): string =>
    written.map((step) => `${text(metric(1, { step: 0 })).replace('"step":0', `"step":${step}`)}\n`).join('');

  test('are exact up to ±(2^53 − 1)', async () => {
    const values = [0, 1, -1, 2 ** 31, 2 ** 32, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER];
    const outcome = await given(notes(steps(...values.map(String), '1.0', '1e3')));
    expect(outcome.rows('run_metrics').map(({ step }) => step)).toEqual([...values, 1, 1000]);
  });

  test('beyond it, or with a fraction, they reject the line: two that differ must not become one', async () => {
    const wrong = [
      '9007199254740992',
      '9007199254740993',
      '-9007199254740993',
      '18446744073709551615',
      '1e16',
      '0.5',
      '-1.5',
      '1e400',
      '"1"',
      'true',
    ];
    (await given(notes(steps(...wrong)))).expectRejected(...wrong.map(() => 'bad_field'));
  });

  test('so in every field that is one', async () => {
    const tooBig = 2 ** 53;
    const lines = [
      ...['epoch', 'step'].map((name) => metric(1, { [name]: tooBig })),
      ...[
        'restart_count',
        'cpus',
        'gpus',
        'exit_code',
        'signal',
        'job_id',
        'array_job_id',
        'array_task_id',
      ].map((name) => slurm(1, 'env', { [name]: tooBig })),
      metric(1, { seq: tooBig }),
    ];
    (await given(notes(...lines))).expectRejected(...lines.map(() => 'bad_field'));
    // and floats take what is beyond
    (
      await given(
        writerFile(
          A,
          created(0),
          metric(1, { loss: tooBig }),
          slurm(2, 'env', { memory_mb: tooBig }),
          sample(3, { rss_mb: tooBig }),
        ),
      )
    )
      .expectRejected()
      .expectJobs({ memory_mb: tooBig })
      .expectRows('_samples', [{ rss_mb: tooBig }]);
  });

  test('seq may have gaps up to the last one', async () => {
    const last = Number.MAX_SAFE_INTEGER;
    const outcome = await given(writerFile(A, metric(1, { seq: last }), metric(2, { seq: 2 })));
    outcome.expectRejected().expectRows('run_metrics', [{ seq: 2 }, { seq: last }]);
    outcome.expectFinding({ kind: 'gap', what: `seq 3 to ${last - 1} are missing` });
  });
});

test('what Python writes is read as Python meant it', async ({ skip }) => {
  const script = `
import json, random, struct
random.seed(7)
for _ in range(2000):
    x = struct.unpack('<d', struct.pack('<Q', random.getrandbits(64)))[0]
    line = {"type": "metric", "ts": "${at(1)}", "run_id": "${RUN}", "elapsed_seconds": 1, "loss": x}
    print(json.dumps([struct.pack('<d', x).hex(), json.dumps(line)]))
`;
  const python = spawnSync('python3', ['-c', script], { encoding: 'utf8', maxBuffer: 2 ** 24 });
  if (python.status !== 0) skip('there is no Python here');
  const written = python.stdout.trim().split('\n').map((pair) => JSON.parse(pair) as [string, string]);
  const expected = written.map(([hex]) => Buffer.from(hex, 'hex').readDoubleLE());
  const outcome = await given(file('events/x/python.ndjson', written.map(([, line]) => `${line}\n`).join('')));
  expect(lossesRead(outcome)).toEqual(expected.filter(Number.isFinite).map((value) => value + 0));
  outcome.expectRejected(...expected.filter((value) => !Number.isFinite(value)).map(() => 'not_json'));
  expect(expected.length).toBe(2000);
}); // prettier-ignore
