// Printing a job's output, once or for as long as it grows.
import { setTimeout as sleep } from 'node:timers/promises';
import { drained, say, type CliIo } from '../io.ts';
import { printSafe } from '../print-safe.ts';
import { chunksOf, isUnreadable, openOutput, type OutputFile, type Unreadable } from './output-file.ts';
import { OutputLines } from './output-lines.ts';

/** How often a file that is followed is opened anew: over NFS what is held open shows no growth for long. */
const POLL_MS = 500;
/** How often it is asked whether the run has ended. */
const ASK_MS = 5000;
/** How long an answer of the storage may take after somebody has asked for the end. */
const GRACE_MS = 1000;

/** Writes bytes as they are, or as lines that are safe to print. */
export class Printer {
  readonly #io: CliIo;
  readonly #lines: OutputLines | undefined;

  constructor(io: CliIo, isRaw: boolean) {
    this.#io = io;
    this.#lines = isRaw ? undefined : new OutputLines();
  }

  /** From a place to the end of the file as it was when it was opened; returns the place after what was printed. */
  async print(file: OutputFile, from: number): Promise<number> {
    let at = from;
    for await (const chunk of chunksOf(file, from)) {
      at += chunk.length;
      if (this.#lines === undefined) this.#io.stdout.write(chunk);
      else this.#write(this.#lines.push(chunk));
      await drained(this.#io);
      this.#io.signal.throwIfAborted();
    }
    return at;
  }

  /** The line that has no end. */
  end(): void {
    this.#write(this.#lines?.end() ?? []);
  }

  #write(lines: readonly string[]): void {
    if (lines.length > 0) this.#io.stdout.write(lines.map((line) => `${line}\n`).join(''));
  }
}

export interface Followed {
  path: string;
  /** Where to go on, in which file; undefined: it is not there yet. */
  from: { at: number; identity: string } | undefined;
  /** Whether nothing more will be written. */
  hasEnded: () => Promise<boolean>;
}

/** Until the run has ended; rejects with an AbortError at Ctrl-C. Why it cannot be read any more, if that is why. */
export async function follow(
  { path, from, hasEnded }: Followed,
  printer: Printer,
  io: CliIo,
): Promise<Unreadable | undefined> {
  let place = from;
  let [isOver, askAt] = [false, 0];
  for (;;) {
    const now = io.clock.now();
    if (now >= askAt) {
      // asked before the file is read, so that what was written last is read too
      isOver = await hasEnded();
      askAt = io.clock.now() + ASK_MS;
    }
    const found = await withGrace(openOutput(path), io);
    if (isUnreadable(found)) {
      if (isOver || !found.isMissing) return isOver && place !== undefined ? undefined : found;
    } else {
      await using file = found;
      const isSame = place?.identity === file.identity && file.size >= place.at;
      if (place !== undefined && !isSame) {
        printer.end();
        say(io.stderr, `${printSafe(path)} begins anew`);
      }
      place = { at: await printer.print(file, isSame ? (place?.at ?? 0) : 0), identity: file.identity };
    }
    if (isOver) return undefined;
    await sleep(POLL_MS, undefined, { signal: io.signal });
  }
}

/** A storage that does not answer keeps nobody from ending: rejects with an AbortError soon after the signal. */
export async function withGrace<T>(work: Promise<T>, io: Pick<CliIo, 'signal' | 'abandon'>): Promise<T> {
  const { signal } = io;
  const late = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const startTimer = (): void => {
    timer = setTimeout(() => late.abort(), GRACE_MS);
  };
  if (signal.aborted) startTimer();
  else signal.addEventListener('abort', startTimer, { once: true });
  try {
    return await Promise.race([work, rejectedBy(late.signal, io)]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', startTimer);
  }
}

function rejectedBy(late: AbortSignal, { abandon }: Pick<CliIo, 'abandon'>): Promise<never> {
  return new Promise((_, reject) => {
    late.addEventListener('abort', () => {
      abandon();
      reject(new DOMException('the storage does not answer', 'AbortError'));
    });
  });
}
