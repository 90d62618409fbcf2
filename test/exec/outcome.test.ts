// How a run ended, from the end of its command, the signals before it and the time of the job.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { outcomeOf, type CommandEnd, type Warning } from '../../src/exec/outcome.ts';

const END = 1_000_000_000;
const exited = (code: number): CommandEnd => ({ kind: 'exited', code });
const killed = (signal: NodeJS.Signals): CommandEnd => ({ kind: 'killed', signal });
const sent = (signal: NodeJS.Signals, secondsBefore: number): Warning => ({
  signal,
  at: END - secondsBefore * 1000,
});

test.each<[string, CommandEnd, Warning[], number | undefined, object]>([
  ['good', exited(0), [], undefined, { status: 'completed', exitCode: 0, reason: undefined }],
  ['a code', exited(3), [], undefined, { status: 'failed', exitCode: 3, reason: undefined, wasAsked: false }],
  [
    'a signal',
    killed('SIGSEGV'),
    [],
    undefined,
    { status: 'failed', exitCode: undefined, reason: 'SIGSEGV' },
  ],
  [
    'not found',
    { kind: 'not started', code: 127, reason: 'not found', message: 'x' },
    [],
    undefined,
    { status: 'failed', exitCode: 127, reason: 'not found' },
  ],
  [
    'SIGTERM at the limit',
    killed('SIGTERM'),
    [sent('SIGTERM', 0)],
    END,
    { status: 'timeout', reason: 'TIMEOUT' },
  ],
  [
    'SIGTERM past it',
    killed('SIGTERM'),
    [sent('SIGTERM', -29)],
    END,
    { status: 'timeout', reason: 'TIMEOUT' },
  ],
  ['SIGTERM 60 s before', exited(1), [sent('SIGTERM', 60)], END, { status: 'timeout', exitCode: 1 }],
  ['SIGTERM 61 s before', exited(1), [sent('SIGTERM', 61)], END, { status: 'failed', reason: 'SIGTERM' }],
  ['the limit, ends well', exited(0), [sent('SIGTERM', 0)], END, { status: 'timeout', exitCode: 0 }],
  [
    'scancel, ends well',
    exited(0),
    [sent('SIGTERM', 900)],
    END,
    { status: 'failed', reason: 'SIGTERM', exitCode: 0 },
  ],
  [
    'SIGTERM, unknown end',
    killed('SIGTERM'),
    [sent('SIGTERM', 0)],
    undefined,
    { status: 'failed', reason: 'SIGTERM' },
  ],
  ['killed after SIGTERM', killed('SIGKILL'), [sent('SIGTERM', 0)], END, { status: 'timeout' }],
  [
    'warned, dies of it',
    killed('SIGUSR1'),
    [sent('SIGUSR1', 300)],
    END,
    { status: 'timeout', reason: 'TIMEOUT' },
  ],
  ['warned, gives up', exited(2), [sent('SIGUSR2', 300)], END, { status: 'timeout', exitCode: 2 }],
  [
    'warned, saves and ends well',
    exited(0),
    [sent('SIGUSR1', 300)],
    END,
    { status: 'completed', reason: undefined },
  ],
  ['warned long before', exited(2), [sent('SIGUSR1', 601)], END, { status: 'failed', reason: 'SIGUSR1' }],
  [
    'warned, then cancelled',
    exited(2),
    [sent('SIGUSR1', 500), sent('SIGTERM', 400)],
    END,
    { status: 'failed', reason: 'SIGTERM' },
  ],
  [
    'warned, then the limit',
    exited(0),
    [sent('SIGUSR1', 300), sent('SIGTERM', 0)],
    END,
    { status: 'timeout' },
  ],
  ['SIGCONT is no warning', exited(2), [sent('SIGCONT', 10)], END, { status: 'failed', reason: undefined }],
])('%s', (_, end, signals, jobEnd, expected) => {
  expect(outcomeOf(end, signals, jobEnd)).toMatchObject(expected);
});

const signals = fc.array(
  fc.record({
    signal: fc.constantFrom<NodeJS.Signals>('SIGTERM', 'SIGUSR1', 'SIGCONT', 'SIGINT'),
    at: fc.integer({ min: END - 2_000_000, max: END + 100_000 }),
  }),
  { maxLength: 5 },
);
const ends = fc.oneof(
  fc.integer({ min: 0, max: 255 }).map(exited),
  fc.constantFrom<NodeJS.Signals>('SIGTERM', 'SIGKILL').map(killed),
);

test('only a known end of the job makes a timeout, and the exit code is always the command’s', () => {
  fc.assert(
    fc.property(ends, signals, (end, warnings) => {
      expect(outcomeOf(end, warnings, undefined).status).not.toBe('timeout');
      const { exitCode, status } = outcomeOf(end, warnings, END);
      expect(exitCode).toBe(end.kind === 'exited' ? end.code : undefined);
      if (status === 'completed') expect(end).toEqual(exited(0));
      if (warnings.length === 0) expect(status).not.toBe('timeout');
    }),
  );
});
