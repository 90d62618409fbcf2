import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { MAX_LINE_BYTES } from '../../src/events/event-writer.ts';
import { CLIENT } from '../../src/events/client.ts';
import { MAX_LINE_BYTES as READERS_MAX } from '../../src/events/parse.ts';
import packageJson from '../../package.json' with { type: 'json' };
import { numbersTo, readLines, seqsOf } from './read-lines.ts';
import { ENV, failing, IN_LEDGER, IN_SPOOL, RUN, World } from './writer-world.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a line', () => {
  it('has type, ts, seq, run_id, attempt, then the payload', () => {
    const world = new World();
    world.writer.append({ type: 'metric', loss: 1, attempt: 'a1', run_id: RUN, elapsed_seconds: 0 }, 'now');
    const [header = '', metric] = world.disk.bytesOf(IN_LEDGER).toString().split('\n');
    expect(metric).toBe(
      `{"type":"metric","ts":"2026-11-23T10:15:00.123Z","seq":2,"run_id":"${RUN}","attempt":"a1","loss":1,"elapsed_seconds":0}`,
    );
    const { writer, origin, ...rest } = JSON.parse(header) as Record<string, unknown>;
    expect(writer).toBe(world.writer.id);
    expect(world.writer.path).toBe(`/ledger/events/2026-11-23/${String(writer)}-${String(origin)}.ndjson`);
    expect(rest).toMatchObject({
      type: 'writer_opened',
      seq: 1,
      format: 1,
      pid: process.pid,
      user: 'ada',
      client: CLIENT,
    });
    expect(rest).not.toHaveProperty('attempt');
  });

  it('may be as long as a reader takes, and is refused and counted beyond', () => {
    expect(MAX_LINE_BYTES).toBe(READERS_MAX);
    const world = new World();
    world.writer.append(world.metric(1, { note: '' }), 'now');
    const room = MAX_LINE_BYTES - (world.disk.bytesOf(IN_LEDGER).toString().split('\n')[1]?.length ?? 0);
    expect(world.writer.append(world.metric(1, { note: 'x'.repeat(room) }), 'now')).toBe(true);
    expect(world.writer.append(world.metric(1, { note: 'x'.repeat(room + 1) }), 'now')).toBe(false);
    expect(world.writer.append(world.metric(1, { note: 'é'.repeat(room / 2 + 1) }), 'now')).toBe(false);
    expect(world.writer.append(world.metric(2), 'now')).toBe(true);
    expect(world.writer.status.lost).toBe(2);
    expect(world.said).toHaveLength(1);
    expect(seqsOf(world.inLedger())).toEqual([1, 2, 3, 4]);
    expect(world.inLedger().rejected).toEqual([]);
  });

  it('that is not JSON is refused, not thrown', () => {
    const world = new World();
    const loop: Record<string, unknown> = {};
    loop['loop'] = loop;
    expect(world.writer.append({ type: 'result', run_id: RUN, results: loop }, 'now')).toBe(false);
    expect(world.writer.append({ type: 'result', run_id: RUN, results: { big: 1n } }, 'now')).toBe(false);
    expect(world.said).toHaveLength(1);
  });
});

describe('the file', () => {
  it('comes with the first event, never before', () => {
    const world = new World();
    world.writer.flush();
    world.writer.close();
    expect(world.disk.calls).toEqual([]);
  });

  it('gets another name if one like it is there', () => {
    const ids = ['01ARZ3NDEKTSV4RRFFQ69G5FAV', '01ARZ3NDEKTSV4RRFFQ69G5FAW'];
    const world = new World({ newId: () => ids.shift() ?? '' });
    world.disk.files.set(world.writer.path, { bytes: Buffer.from('theirs'), durable: 6 });
    world.writer.append(world.metric(1), 'now');
    const read = readLines(world.disk.bytesOf('01ARZ3NDEKTSV4RRFFQ69G5FAW'));
    // the attempt that was told before stays the one of the events
    expect(read.events[0]).toMatchObject({
      writer: '01ARZ3NDEKTSV4RRFFQ69G5FAW',
      attempt: '01ARZ3NDEKTSV4RRFFQ69G5FAV',
    });
    expect(world.writer.attempt).toBe('01ARZ3NDEKTSV4RRFFQ69G5FAV');
    expect(world.disk.bytesOf('01ARZ3NDEKTSV4RRFFQ69G5FAV').toString()).toBe('theirs');
  });

  it('is taken for its own if somebody ran the mend while it waited', () => {
    const world = new World();
    world.disk.hasLedger = false;
    world.writer.append(world.metric(1), 'now');
    const spooled = world.disk.bytesOf(IN_SPOOL);
    world.disk.hasLedger = true;
    world.disk.files.set(world.writer.path, { bytes: spooled, durable: spooled.length });
    world.pass(1000);
    world.writer.append(world.metric(2), 'now');
    world.writer.close();
    expect(seqsOf(world.inLedger())).toEqual([1, 2, 3, 4]);
  });

  it('is not begun again without its first lines when somebody has removed it', () => {
    const world = new World();
    world.writer.append(world.metric(1), 'now');
    failing(world.disk, IN_LEDGER, [{ code: 'ESTALE' }]);
    world.disk.files.delete(world.writer.path);
    world.writer.append(world.metric(2), 'now');
    world.pass(5000);
    world.writer.close();
    expect([...world.disk.files.keys()].filter((path) => path.includes(IN_LEDGER))).toEqual([]);
    // the spool has the header too, so that it counts as a file by itself
    expect(seqsOf(world.inSpool())).toEqual([1, 3, 4]);
  });

  it('names the attempt of the environment, or of the caller, in its header', () => {
    const env = { ...ENV, RUNFOLD_ATTEMPT: 'from-env' };
    for (const [options, attempt] of [
      [{ env }, 'from-env'],
      [{ env, attempt: 'given' }, 'given'],
    ] as const) {
      const world = new World(options);
      world.writer.append(world.metric(1), 'now');
      expect(world.writer.attempt).toBe(attempt);
      expect(world.inLedger().events[0]).toMatchObject({ attempt });
    }
  });

  it('is closed with the number of its events, and takes nothing after', () => {
    const world = new World();
    world.writer.append(world.metric(1), 'soon');
    world.writer.close();
    world.writer.close();
    expect(world.inLedger().events.at(-1)).toMatchObject({ type: 'writer_closed', seq: 3, events: 2 });
    expect(world.writer.append(world.metric(2), 'now')).toBe(false);
    expect(world.inLedger().events).toHaveLength(3);
  });

  it('says the version of the package', () => {
    expect(CLIENT.version).toBe(packageJson.version);
  });
});

describe('when', () => {
  function countOf(world: World, call: string): number {
    return world.disk.calls.filter((one) => one.call === call && one.path === world.writer.path).length;
  }

  it('"now" is one write and one fsync, before append returns', () => {
    const world = new World();
    world.writer.append(world.metric(1), 'soon');
    world.writer.append(world.metric(2), 'now');
    expect([countOf(world, 'write'), countOf(world, 'fsync')]).toEqual([1, 1]);
    expect(seqsOf(world.inLedger())).toEqual([1, 2, 3]);
  });

  it('"soon" is written within 1 s and fsynced within 5 s, by timers', () => {
    const world = new World();
    world.writer.append(world.metric(1), 'soon');
    world.pass(999);
    expect(countOf(world, 'write')).toBe(0);
    world.pass(1);
    expect(countOf(world, 'write')).toBe(1);
    world.pass(3999);
    expect(countOf(world, 'fsync')).toBe(0);
    world.pass(1);
    expect(countOf(world, 'fsync')).toBe(1);
    world.pass(60_000);
    expect([countOf(world, 'write'), countOf(world, 'fsync')]).toEqual([1, 1]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('"soon" is written and fsynced as promptly by a loop that never gives way to timers', () => {
    const world = new World();
    const eventsUntil = (ms: number): number => (ms < 0 ? 0 : Math.floor(ms / 100) + 2);
    for (let step = 0; step <= 300; step += 1) {
      world.writer.append(world.metric(step), 'soon');
      expect(world.inLedger().events.length).toBeGreaterThanOrEqual(eventsUntil(world.clock - 1000));
      const durable = readLines(world.disk.durableBytesOf(IN_LEDGER));
      expect(durable.events.length).toBeGreaterThanOrEqual(eventsUntil(world.clock - 5000));
      world.clock += 100;
    }
    expect(countOf(world, 'write')).toBeLessThanOrEqual(30);
    expect(countOf(world, 'fsync')).toBeLessThanOrEqual(6);
  });

  it('a lot of data is written, and fsynced, without waiting', () => {
    const world = new World();
    const note = 'x'.repeat(100_000);
    for (let step = 0; step < 30; step += 1) world.writer.append(world.metric(step, { note }), 'soon');
    expect(countOf(world, 'write')).toBe(10);
    expect(countOf(world, 'fsync')).toBe(2);
  });

  it('what a full disk took before it was full is fsynced all the same', () => {
    const world = new World();
    world.writer.append(world.metric(1), 'soon');
    world.pass(1000);
    world.disk.fault = (call) => (call === 'write' ? { code: 'ENOSPC', landed: 20 } : undefined);
    world.writer.append(world.metric(2), 'now');
    expect(seqsOf(readLines(world.disk.durableBytesOf(IN_LEDGER)))).toEqual([1, 2]);
  });

  it('a failing ledger is tried once a second, and said once', () => {
    const world = new World();
    failing(world.disk, IN_LEDGER, [], { code: 'EIO' });
    for (let ms = 0; ms < 10_000; ms += 100) {
      world.writer.append(world.metric(ms), 'now');
      world.pass(100);
    }
    expect(world.disk.calls.filter(({ call }) => call === 'readText')).toHaveLength(11);
    expect(world.said).toHaveLength(1);
    expect(world.said[0]).toMatch(/^runfold: cannot write \/ledger\/events\/.*EIO.*\/tmp\/runfold-spool-/);
    world.disk.fault = () => undefined;
    world.pass(1000);
    expect(world.said[1]).toMatch(/can be written again; nothing was lost$/);
    expect(world.said).toHaveLength(2);
    expect(seqsOf(world.inLedger())).toEqual(numbersTo(101));
  });
});

describe('without a ledger', () => {
  it('makes nothing there, spools at once and says path and mend in one line', () => {
    const world = new World();
    world.disk.hasLedger = false;
    world.writer.append(world.metric(1), 'now');
    world.writer.append(world.metric(2), 'soon');
    world.pass(1000);
    expect([...world.disk.files.keys()]).toEqual([world.writer.status.spoolPath]);
    expect(world.disk.calls.some(({ call, path }) => call === 'mkdir' && path.startsWith('/ledger'))).toBe(
      false,
    );
    expect(seqsOf(world.inSpool())).toEqual([1, 2, 3]);
    expect(world.said).toHaveLength(1);
    expect(world.said[0]).toContain('no log at /ledger');
    expect(world.said[0]).toContain(
      `mkdir -p /ledger/events/2026-11-23 && cat ${world.writer.status.spoolPath} >> ${world.writer.path}`,
    );
  });

  it('spools at once what must be written now, between two tries', () => {
    const world = new World();
    world.disk.hasLedger = false;
    world.writer.append(world.metric(1), 'now');
    world.pass(10);
    world.writer.append(world.metric(2), 'now');
    expect(seqsOf(world.inSpool())).toEqual([1, 2, 3]);
  });

  it('brings a large spool in piece by piece, in order, before what is newer', () => {
    const world = new World();
    world.disk.hasLedger = false;
    const note = 'x'.repeat(1_000_000);
    for (let step = 1; step <= 40; step += 1) world.writer.append(world.metric(step, { note }), 'now');
    world.disk.hasLedger = true;
    world.pass(1000);
    const first = seqsOf(world.inLedger());
    expect(first.length).toBeLessThan(30);
    world.writer.append(world.metric(41), 'now');
    world.writer.append(world.metric(42), 'now');
    expect(world.writer.status.isFailing).toBe(false);
    expect(seqsOf(world.inLedger())).toEqual(numbersTo(43));
    expect(world.disk.bytesOf(IN_SPOOL)).toHaveLength(0);
  });

  it('refuses a spool folder that is not its own', () => {
    for (const change of [{ spoolMode: 0o40755 }, { spoolUid: 12_345 }]) {
      const world = new World();
      Object.assign(world.disk, change);
      world.disk.hasLedger = false;
      world.writer.append(world.metric(1), 'now');
      world.writer.close();
      expect(world.disk.files.size).toBe(0);
      expect(world.writer.status.lost).toBe(3);
      expect(world.said.at(-1)).toMatch(/3 events are lost .*not a directory that is yours alone/);
    }
  });
});
