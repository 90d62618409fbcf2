// Parsing ahead on the same thread, through the same columns: in vitest a worker finds no compiled code.
import { columnSpace, metricColumns, type SpacedColumns } from '../../src/projector/metric-columns.ts';
import type { ParseAhead } from '../../src/projector/parse-ahead.ts';
import type { ProjectorOptions } from '../../src/projector/projector.ts';

class ParseHere implements ParseAhead {
  chunk(): ReturnType<ParseAhead['chunk']> {
    let taken: SpacedColumns | undefined;
    return {
      room: undefined,
      begin: (bytes, from) => {
        const space = columnSpace(bytes.length);
        taken = { columns: structuredClone(metricColumns(bytes.subarray(from), space)), space };
      },
      take: () => Promise.resolve(taken),
      release: () => undefined,
    };
  }

  end(): Promise<void> {
    return Promise.resolve();
  }
}

/** For every pass, however little there is to read. */
export const ALWAYS_AHEAD: ProjectorOptions = { startAhead: () => new ParseHere(), aheadFrom: -1 };
