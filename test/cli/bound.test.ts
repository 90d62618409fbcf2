// The bound of commands that read comes, whatever the garbage collector does meanwhile.
import { once } from 'node:events';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { Bound } from '../../src/cli/bound.ts';
import { until } from '../process/until.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

test('comes after its time, although garbage is collected before', async () => {
  using bound = new Bound(new AbortController().signal, 50);
  await until('the bound comes', () => {
    collectGarbage();
    return bound.signal.aborted;
  });
});

test('comes when the outer signal does, also one that has come already', async () => {
  const outer = new AbortController();
  using bound = new Bound(outer.signal, 2 ** 30);
  const came = once(bound.signal, 'abort');
  outer.abort();
  await came;
  using late = new Bound(outer.signal, 2 ** 30);
  expect(late.signal.aborted).toBe(true);
});

test('does not come any more when the work has ended', () => {
  const outer = new AbortController();
  const bound = new Bound(outer.signal, 2 ** 30);
  bound[Symbol.dispose]();
  outer.abort();
  expect(bound.signal.aborted).toBe(false);
});
