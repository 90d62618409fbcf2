// Parsing ahead on the same thread, through the same columns: in vitest a worker finds no compiled code.
import { columnSpace, metricColumns } from '../../src/projector/metric-columns.ts';
import type { ParseAhead } from '../../src/projector/parse-ahead.ts';
import type { ProjectorOptions } from '../../src/projector/projector.ts';

class ParseHere implements ParseAhead {
  begin(bytes: Buffer, from: number): ReturnType<ParseAhead['begin']> {
    const space = columnSpace(bytes.length);
    const columns = structuredClone(metricColumns(bytes.subarray(from), space));
    return { bytes, take: () => Promise.resolve({ columns, space }), release: () => undefined };
  }

  end(): Promise<void> {
    return Promise.resolve();
  }
}

/** For every pass, however little there is to read. */
export const ALWAYS_AHEAD: ProjectorOptions = { startAhead: () => new ParseHere(), aheadFrom: -1 };
