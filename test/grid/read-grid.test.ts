// A grid file is read as it is meant, or refused with the place and the mend.
import { stringify } from 'csv-stringify/sync';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RunfoldError } from '../../src/errors.ts';
import { runId } from '../../src/events/run-id.ts';
import { decodeGrid, gridDigest, readGrid, type Grid, type GridOptions } from '../../src/grid/grid.ts';

const KEY = {
  experiment_number: 1,
  dataset: 'default',
  method: 'default',
  subject: null,
  cl_info: null,
  seed: null,
};

function refused(text: string, file = 'grid.csv', options: GridOptions = {}): string {
  try {
    readGrid(text, file, options);
  } catch (error) {
    if (!(error instanceof RunfoldError)) throw error;
    expect(error.code).toBe('usage');
    expect(error.hint).toMatch(/\.$|--/);
    return `${error.message} ${error.hint}`;
  }
  throw new Error('it was taken');
}

function keysOf(grid: Grid): unknown[] {
  return grid.rows.map(({ key }) => key);
}

test('key fields give the key, all else the config; numbers and booleans are typed, the texts are as written', () => {
  const grid = readGrid(
    'exp,dataset,method,subject,variant,seed,lr,amp,note,id,big\n' +
      '2,iris,mlp,s1,deep,3,1e-3,true,"a, b",007,12345678901234567890\n' +
      '2,iris,mlp,,,4,0.10,False,nan,-0,1e400\n',
    'grid.csv',
  );
  const key = {
    experiment_number: 2,
    dataset: 'iris',
    method: 'mlp',
    subject: 's1',
    cl_info: 'deep',
    seed: 3,
  };
  expect(grid.rows).toEqual([
    {
      row: 1,
      key,
      runId: runId(key),
      config: { lr: 0.001, amp: true, note: 'a, b', id: '007', big: '12345678901234567890' },
      values: [
        ['exp', '2'],
        ['dataset', 'iris'],
        ['method', 'mlp'],
        ['subject', 's1'],
        ['variant', 'deep'],
        ['seed', '3'],
        ['lr', '1e-3'],
        ['amp', 'true'],
        ['note', 'a, b'],
        ['id', '007'],
        ['big', '12345678901234567890'],
      ],
    },
    expect.objectContaining({
      row: 2,
      key: { ...key, subject: null, cl_info: null, seed: 4 },
      config: { lr: 0.1, amp: false, note: 'nan', id: 0, big: '1e400' },
    }),
  ]);
  expect(grid.rows[1]?.values[3]).toEqual(['subject', null]);
});

test('the order of columns, a BOM, CRLF, a lone CR, empty lines and blanks around cells change nothing', () => {
  const plain = readGrid('dataset,seed,lr\niris,1,0.1\nwine,2,0.2\n', 'grid.csv');
  const spellings = [
    '\uFEFFdataset,seed,lr\r\niris,1,0.1\r\nwine,2,0.2\r\n',
    'dataset,seed,lr\riris,1,0.1\rwine,2,0.2',
    '\n\ndataset , seed,\tlr\n\niris, 1, 0.1\n   \n"wine", 2,0.2\n\n',
    'dataset,seed,lr\niris,1,0.1\nwine,2,0.2',
  ];
  for (const text of spellings) expect(readGrid(text, 'grid.csv')).toEqual(plain);
  const turned = readGrid('lr,seed,dataset\n0.1,1,iris\n0.2,2,wine\n', 'grid.csv');
  expect(keysOf(turned)).toEqual(keysOf(plain));
});

describe('JSON', () => {
  test('a list of objects is a row each; a name that an object lacks has no value', () => {
    const grid = readGrid(
      '[{"dataset":"iris","seed":1,"lr":0.1},{"seed":2,"dataset":"iris","p":null}]',
      'g.json',
    );
    expect(keysOf(grid)).toEqual([
      { ...KEY, dataset: 'iris', seed: 1 },
      { ...KEY, dataset: 'iris', seed: 2 },
    ]);
    expect(grid.rows.map(({ config }) => config)).toEqual([{ lr: 0.1 }, {}]);
    expect(grid.rows[1]?.values).toEqual([
      ['dataset', 'iris'],
      ['seed', '2'],
      ['lr', null],
      ['p', null],
    ]);
  });

  test('an object of lists is their product, the last name fastest; a single value is a list of one', () => {
    const grid = readGrid('{"exp":7,"dataset":["a","b"],"seed":[0,1,2]}', 'grid.json');
    expect(grid.rows.map(({ row, key }) => [row, key.experiment_number, key.dataset, key.seed])).toEqual([
      [1, 7, 'a', 0],
      [2, 7, 'a', 1],
      [3, 7, 'a', 2],
      [4, 7, 'b', 0],
      [5, 7, 'b', 1],
      [6, 7, 'b', 2],
    ]);
  });

  test('is told from CSV by the name, else by how the text begins', () => {
    expect(readGrid(' [{"seed":1}]', '/dev/stdin').rows).toHaveLength(1);
    expect(readGrid('seed\n1\n', 'sweep').rows).toHaveLength(1);
    expect(readGrid('[seed\n1\n', 'odd.csv').columns).toEqual(['[seed']);
    expect(refused('seed\n1\n', 'sweep.json')).toContain('it is not JSON');
  });
});

describe('a column of the key', () => {
  const text = 'dataset,seed,lr,wd\niris,1,0.1,0\niris,1,0.2,0\n';

  test('two rows of one run are refused with both rows and what would tell them apart', () => {
    expect(refused(text)).toBe(
      'grid.csv: row 1 (line 2) and row 2 (line 3) are the same run If a parameter tells them apart, put it into the key: --key-from-config lr',
    );
    expect(refused('seed,lr\n1,2\n\n1,2\n')).toContain(
      'row 1 (line 2) and row 2 (line 4) are the same run Remove one',
    );
  });

  test('with keyFromConfig the parameter is in cl_info, and in the config as ever', () => {
    const grid = readGrid(text, 'grid.csv', { keyFromConfig: ['lr'] });
    expect(grid.rows.map(({ key }) => key.cl_info)).toEqual(['{"lr":0.1}', '{"lr":0.2}']);
    expect(grid.rows.map(({ config }) => config)).toEqual([
      { lr: 0.1, wd: 0 },
      { lr: 0.2, wd: 0 },
    ]);
    expect(readGrid('variant,lr\ndeep,1\n', 'g.csv', { keyFromConfig: ['lr'] }).rows[0]?.key.cl_info).toBe(
      '{"lr":1,"variant":"deep"}',
    );
  });
});

test.each([
  ['nothing', '', 'grid.csv: there is nothing in it'],
  ['no rows', 'dataset,seed\n', 'grid.csv: it has no rows'],
  [
    'a cell too many',
    'dataset,seed\niris,1\n\nwine,2,3\n',
    'grid.csv, line 4: it has 3 cells, the first line 2',
  ],
  ['a comma at the end of a row', 'dataset,seed\niris,1,\n', 'line 2: it has 3 cells, the first line 2'],
  ['a missing cell', 'dataset,seed\n"a\n\nb"\n', 'grid.csv, line 2: it has 1 cell, the first line 2'],
  ['a row after a cell of two lines', 'dataset,seed\n"a\r\nb",1\nc\n', 'grid.csv, line 4: it has 1 cell'],
  ['a comma at the end of the header', 'dataset,seed,\niris,1,\n', 'grid.csv, line 1: column 3 has no name'],
  ['semicolons', 'dataset;seed\niris;1\n', 'Separate the columns by commas.'],
  ['tabs', 'dataset\tseed\niris\t1\n', 'Separate the columns by commas.'],
  ['the same column twice', 'seed,seed\n1,2\n', 'grid.csv, column "seed": there are two of it'],
  [
    'one field by two names',
    'exp,experiment_number\n1,1\n',
    'column "experiment_number": it is the same as column "exp"',
  ],
  [
    'a field in capitals',
    'Dataset,seed\niris,1\n',
    'grid.csv, column "Dataset": a field of the key is not spelt like that Name it dataset.',
  ],
  ['a field with a hyphen', 'cl-info\nx\n', 'Name it cl_info.'],
  [
    'no data set in a row',
    'dataset,seed\niris,1\n,2\n',
    'grid.csv, line 3, column "dataset": it has no value',
  ],
  ['a seed with a fraction', 'seed\n1.5\n', 'grid.csv, line 2, column "seed": "1.5" is no whole number'],
  ['a seed as pandas writes it', 'seed\n3.0\n', 'Write 3.'],
  ['NaN for a seed', 'seed\n1\nNaN\n', 'grid.csv, line 3, column "seed": "NaN" is no whole number'],
  ['a seed beyond 2^53', 'seed\n9007199254740993\n', 'is no whole number'],
  ['a seed in words', 'seed\ntrue\n', '"true" is no whole number'],
  ['no experiment', 'exp,seed\n,1\n', 'column "exp": it has no value'],
  [
    'a quote left open',
    'a,b\n1,2\n"x,3\n4,5\n',
    'grid.csv, line 3: a quote is opened in the row that begins there, and not closed',
  ],
  [
    'a quote left open after empty lines',
    'a,b\r\n"1\r\n",2\r\n\r\n\r\n"x,3\r\n4',
    'grid.csv, line 6: a quote is opened',
  ],
  ['a quote within a cell', 'a,b\n1,x"y\n', 'grid.csv, line 2: a quote stands within a cell'],
  ['a quote within quotes', 'a,b\n1,"x"y\n', 'grid.csv, line 2: a quote stands within a cell'],
  ['a NUL', 'a\nx\0y\n', 'grid.csv, line 2, column "a": there is a NUL in it'],
])('CSV: %s is refused', (_, text, message) => {
  expect(refused(text)).toContain(message);
});

test.each([
  ['an empty file', '', 'g.json: it is not JSON'],
  ['text', '"x"', 'g.json: it is neither a list nor an object'],
  ['NaN', '[\n{"seed": 1, "lr": NaN}]', 'g.json, line 2: NaN is not JSON Write "NaN" or null.'],
  ['NaN after a text with NaN', '{"a":["NaN"],\n"b":[-Infinity]}', 'g.json, line 2: -Infinity is not JSON'],
  ['a comma at the end', '[{"seed":1},\n]', 'g.json, line 1: a comma with nothing after it is not JSON'],
  ['a list of numbers', '[{"seed":1}, 2]', 'g.json, row 2: it is not an object'],
  ['a list within a row', '[{"seed":[1,2]}]', 'g.json, row 1, column "seed": it is a list or an object'],
  ['an object in a list', '{"seed":[{"a":1}]}', 'g.json, column "seed": it is a list or an object'],
  ['an empty list', '{"seed":[]}', 'g.json, column "seed": its list is empty'],
  ['no lists', '{}', 'g.json: it has no rows'],
  ['no objects', '[]', 'g.json: it has no rows'],
  ['an empty name', '[{"":1}]', 'g.json: a name is empty'],
  [
    'a seed with a fraction',
    '[{"seed":1},{"seed":0.5}]',
    'g.json, row 2, column "seed": "0.5" is no whole number',
  ],
  [
    'a row without its data set',
    '[{"dataset":"a"},{"seed":1}]',
    'g.json, row 2, column "dataset": it has no value',
  ],
  ['half of a character', String.raw`[{"lr":"\ud800"}]`, 'g.json, row 1, column "lr": half of a character'],
  [
    'an integer beyond 2^53',
    '[{"id":12345678901234567890}]',
    'column "id": the number has more digits than can be kept',
  ],
  ['an overflow', '[{"id":1e400}]', 'the number has more digits than can be kept'],
  [
    'a product beyond all bounds',
    JSON.stringify(
      Object.fromEntries(['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((name) => [name, [...Array(10).keys()]])),
    ),
    '10 × 10 × 10 × 10 × 10 × 10 × 10 is more than 1000000 rows',
  ],
])('JSON: %s is refused', (_, text, message) => {
  expect(refused(text, 'g.json')).toContain(message);
});

test('keyFromConfig names columns that are parameters and have a value in each row', () => {
  const text = 'seed,lr\n1,0.1\n2,\n';
  expect(refused(text, 'grid.csv', { keyFromConfig: ['wd'] })).toBe(
    'grid.csv: --key-from-config names "wd", which is no column There are: lr.',
  );
  expect(refused(text, 'grid.csv', { keyFromConfig: ['seed'] })).toContain('which is in the key anyway');
  expect(refused(text, 'grid.csv', { keyFromConfig: ['lr'] })).toContain(
    'line 3, column "lr": it has no value',
  );
});

test('bytes that are not UTF-8 are refused, and the digest is that of the bytes', () => {
  const utf16 = Buffer.from('\uFEFFseed\n1\n', 'utf16le');
  expect(() => decodeGrid(utf16, 'grid.csv')).toThrow('grid.csv: it is not UTF-8');
  expect(decodeGrid(Buffer.from('\uFEFFdataset\nα\n'), 'grid.csv').rows[0]?.key.dataset).toBe('α');
  expect(gridDigest(Buffer.from('abc'))).toBe(
    'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  );
});

describe('what is written is read', () => {
  // what trims or is empty is no value in CSV unless quoted, so the writer quotes all
  const text = fc.string({ unit: 'binary', minLength: 1 }).filter((value) => !value.includes('\0'));
  const number = fc
    .double({ noNaN: true, noDefaultInfinity: true })
    .filter((value) => !Number.isInteger(value) || Number.isSafeInteger(value));
  const parameter = fc.oneof(text, number, fc.boolean());
  const fields = new Set([
    'experiment_number',
    'exp',
    'dataset',
    'method',
    'subject',
    'cl_info',
    'variant',
    'seed',
  ]);
  const name = fc.oneof(fc.constantFrom('__proto__', 'constructor', '{x}', '--lr'), text).filter((value) => {
    return value.trim() !== '' && !fields.has(value.toLowerCase().replaceAll(/[-\s]/g, '_'));
  });
  const rows = fc.uniqueArray(name, { minLength: 1, maxLength: 4 }).chain((names) =>
    fc.tuple(
      fc.constant(names),
      fc.array(
        fc.tuple(text, fc.array(fc.option(parameter), { minLength: names.length, maxLength: names.length })),
        {
          minLength: 1,
          maxLength: 6,
        },
      ),
    ),
  );

  function expectations(
    names: readonly string[],
    written: readonly (readonly [string, readonly unknown[]])[],
  ) {
    return written.map(([dataset, parameters], index) => ({
      key: { ...KEY, dataset, seed: index },
      config: Object.fromEntries(
        names.flatMap((each, at) =>
          parameters[at] === null ? [] : [[each, plain(parameters[at])] as const],
        ),
      ),
    }));
  }

  /** −0 is 0 in a log. */
  function plain(value: unknown): unknown {
    return value === 0 ? 0 : value;
  }

  function shape(grid: Grid) {
    return grid.rows.map(({ key, config }) => ({ key, config }));
  }

  test('as JSON', () => {
    fc.assert(
      fc.property(rows, ([names, written]) => {
        const objects = written.map(([dataset, parameters], index) =>
          Object.fromEntries<unknown>([
            ['dataset', dataset],
            ['seed', index],
            ...names.map((each, at) => [each, parameters[at]] as const),
          ]),
        );
        expect(shape(readGrid(JSON.stringify(objects), 'g.json'))).toEqual(expectations(names, written));
      }),
    );
  });

  test('as CSV, with all texts that are not typed', () => {
    fc.assert(
      fc.property(rows, ([names, written]) => {
        const csv = stringify(
          [
            ['dataset', 'seed', ...names],
            ...written.map(([dataset, values], index) => [
              dataset,
              index,
              ...values.map((value) => (value === null ? null : String(value))),
            ]),
          ],
          { quoted: true },
        );
        const grid = readGrid(csv, 'grid.csv');
        expect(grid.columns).toEqual(['dataset', 'seed', ...names]);
        for (const [index, [dataset, values]] of written.entries()) {
          const row = grid.rows[index];
          expect(row?.key.dataset).toBe(dataset);
          expect(row?.values.slice(2)).toEqual(
            names.map((each, at) => [each, values[at] === null ? null : String(values[at])]),
          );
          for (const [at, value] of values.entries()) {
            const given = Object.hasOwn(row?.config ?? {}, names[at]!) ? row?.config[names[at]!] : null;
            if (typeof value === 'string') expect(String(given)).toBe(spelling(given, value));
            else expect(given).toBe(plain(value));
          }
        }
      }),
    );
  });

  /** A text that reads as a number or boolean is one. */
  function spelling(given: unknown, text: string): string {
    if (typeof given === 'number') return String(Number(text) + 0);
    return typeof given === 'boolean' ? text.toLowerCase() : text;
  }
});

test('10,000 rows are read, each with its own run', () => {
  const lines = [...Array(10_000).keys()].map((seed) => `d${seed % 7},m${seed % 3},${seed},${seed / 10}`);
  const grid = readGrid(`dataset,method,seed,lr\n${lines.join('\n')}\n`, 'grid.csv');
  expect(new Set(grid.rows.map((row) => row.runId)).size).toBe(10_000);
  expect(grid.rows.at(-1)).toMatchObject({ row: 10_000, key: { seed: 9999 } });
});

describe('two rows of one key', () => {
  const hintOf = (text: string, file: string): { message: string; hint: string | undefined } => {
    try {
      readGrid(text, file);
    } catch (error) {
      if (error instanceof RunfoldError) return { message: error.message, hint: error.hint };
      throw error;
    }
    throw new Error('it was read');
  };

  test('in JSON rows have no other place than their number', () => {
    expect(hintOf('[{"seed": 1}, {"seed": 1}]', 'g.json').message).toBe(
      'g.json: row 1 and row 2 are the same run',
    );
  });

  test('only columns that could be in the key are proposed for it', () => {
    const some = hintOf('seed,lr,wd\n1,0.1,1\n1,0.2,\n2,,3\n', 'g.csv').hint;
    expect(some).not.toContain('--key-from-config lr');
    expect(some).toContain('lr, wd');
    const whole = hintOf('seed,lr,wd\n1,0.1,1\n1,0.2,\n2,1,3\n', 'g.csv').hint;
    expect(whole).toContain('--key-from-config lr');
    expect(whole).not.toContain('wd');
  });
});
