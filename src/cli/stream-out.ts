// Long answers on stdout, no faster than they are read.
import { once } from 'node:events';
import type { CliIo } from './io.ts';

/** Writes the chunks as they come; waits while the reader is behind. */
export async function streamOut(
  chunks: AsyncIterable<string | Uint8Array>,
  { stdout, signal }: Pick<CliIo, 'stdout' | 'signal'>,
): Promise<void> {
  for await (const chunk of chunks) {
    signal.throwIfAborted();
    if (!stdout.write(chunk)) await once(stdout, 'drain', { signal });
  }
}
