import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { withPatience } from '../src/projector/hang.ts';
import { PACE } from '../src/projector/pace.ts';
import { TimedStorage, type PendingCall } from '../src/projector/timed-storage.ts';
import { LEDGER, MemoryStorage } from './helpers/memory-storage.ts';

/** A mount that answers when it is told to, if ever. */
class HangingStorage extends MemoryStorage {
  answer: () => void = () => undefined;

  override identify() {
    return new Promise<typeof LEDGER>((resolve) => {
      this.answer = () => resolve(LEDGER);
    });
  }
}

const clock = { now: () => Date.now() };

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function setUp() {
  const mount = new HangingStorage();
  const storage = new TimedStorage(mount, clock);
  const ending = new AbortController();
  const hangs: (PendingCall | undefined)[] = [];
  const options = {
    storage,
    clock,
    signal: ending.signal,
    onHang: (call: PendingCall | undefined) => hangs.push(call),
  };
  return { mount, storage, ending, hangs, options };
}

test('a call that does not come back is reported once, with since when, and again when it has', async () => {
  const { mount, storage, hangs, options } = setUp();
  const since = Date.now();
  const outcome = withPatience(storage.identify(), options);
  await vi.advanceTimersByTimeAsync(PACE.hangAfter * 3);
  expect(hangs).toEqual([{ path: 'ledger.json', since }]);
  mount.answer();
  expect(await outcome).toEqual({ value: LEDGER });
  expect(storage.oldest).toBeUndefined();
});

test('a signal ends the wait for a call that hangs, after a moment in which it might still come back', async () => {
  const { storage, ending, options } = setUp();
  const outcome = withPatience(storage.identify(), options);
  ending.abort();
  await vi.advanceTimersByTimeAsync(PACE.abandonAfter - 1);
  let isSettled = false;
  void outcome.then(() => {
    isSettled = true;
  });
  await vi.advanceTimersByTimeAsync(0);
  expect(isSettled).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  expect(await outcome).toBe('abandoned');
});

test('work that ends in time after the signal is not abandoned', async () => {
  const { mount, storage, ending, options } = setUp();
  const outcome = withPatience(storage.identify(), options);
  ending.abort();
  mount.answer();
  expect(await outcome).toEqual({ value: LEDGER });
});

test('what the work throws is thrown on', async () => {
  const { options } = setUp();
  await expect(withPatience(Promise.reject(new Error('torn')), options)).rejects.toThrow('torn');
});

test('a listing of many folders that goes on does not hang, and one that stops at a folder does', async () => {
  const { mount, storage, hangs, options } = setUp();
  vi.spyOn(mount, 'list').mockImplementation(async (wanted = () => true) => {
    for (let folder = 0; folder < 5; folder += 1) {
      wanted(`${folder}`);
      await new Promise((resolve) =>
        setTimeout(resolve, folder < 4 ? PACE.hangAfter / 2 : PACE.hangAfter * 2),
      );
    }
    return { files: [], strangers: [], folders: new Set() };
  });
  const since = Date.now();
  const outcome = withPatience(storage.list(), options);
  await vi.advanceTimersByTimeAsync(PACE.hangAfter * 2);
  expect(hangs).toEqual([]);
  await vi.advanceTimersByTimeAsync(PACE.hangAfter);
  expect(hangs).toEqual([{ path: 'events', since: since + PACE.hangAfter * 2 }]);
  await vi.advanceTimersByTimeAsync(PACE.hangAfter);
  expect(await outcome).not.toBe('abandoned');
});
