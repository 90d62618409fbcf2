// Records on stdin, one JSON value a line. What is none is reported, and the rest goes on.
import ndjson from 'ndjson';
import type { CliIo } from './io.ts';

export interface RecordSink {
  value: (value: unknown) => void;
  problem: (problem: string) => void;
}

/** An event is at most 1 MiB; a record may be written more loosely. */
const MAX_CHARACTERS = 16 * 1_048_576;
const NULL = Symbol('null');

/** What ndjson makes is a stream of split2, which its types do not say. */
type Parser = ReturnType<typeof ndjson.parse> & {
  push: (value: unknown) => boolean;
  /** Inside a line longer than MAX_CHARACTERS, which is being left out. */
  overflow: boolean;
};

/** Hands on each record as it comes, until the end or the signal; a line that the signal cut off is dropped. */
export async function readRecords(
  { stdin, signal }: Pick<CliIo, 'stdin' | 'signal'>,
  sink: RecordSink,
): Promise<void> {
  const parser = makeParser(sink);
  const stop = (): void => void stdin.destroy();
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  try {
    for await (const chunk of stdin) await parser.write(chunk as Buffer);
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    signal.removeEventListener('abort', stop);
  }
  // the end of a line that has none
  if (!signal.aborted) await parser.write('\n');
}

function makeParser(sink: RecordSink): { write: (chunk: Buffer | string) => Promise<void> } {
  const options: object = { maxLength: MAX_CHARACTERS, skipOverflow: true };
  const parser = ndjson.parse(options) as Parser;
  const push = parser.push.bind(parser);
  // a record that is null would end the stream for all that come after it
  parser.push = (value) => push(value ?? NULL);
  parser.on('data', (value: unknown) => sink.value(value === NULL ? null : value));
  parser.on('error', (error: Error) => sink.problem(error.message));
  let isLong = false;
  return {
    // not a pipe, which would stop at the first record that is no JSON
    write: async (chunk) => {
      await new Promise((resolve) => void parser.write(chunk, resolve));
      if (parser.overflow && !isLong) sink.problem(`longer than ${MAX_CHARACTERS} characters`);
      isLong = parser.overflow;
    },
  };
}
