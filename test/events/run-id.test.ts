// The id of a run is a function of its key that every language computes alike.
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hashKey, runId, type RunKey } from '../../src/events/run-id.ts';

type KeyFields = [number, string, string, string | null, string | null, number | null];

const integer = fc.maxSafeInteger();
const word = fc.string({ unit: 'binary' });
const keys: fc.Arbitrary<KeyFields> = fc.tuple(
  integer,
  word,
  word,
  fc.option(word),
  fc.option(word),
  fc.option(integer),
);

function asKey([experiment_number, dataset, method, subject, cl_info, seed]: KeyFields): RunKey {
  return { experiment_number, dataset, method, subject, cl_info, seed };
}

/** The same from the words of the contract alone, as one big number instead of bit by bit. */
function expectedId(fields: KeyFields): string {
  const digest = createHash('sha256')
    .update(Buffer.from(JSON.stringify(fields), 'utf8'))
    .digest('hex');
  const digits = BigInt(`0x${digest.slice(0, 20)}`)
    .toString(32)
    .padStart(16, '0');
  const crockford = '0123456789abcdefghjkmnpqrstvwxyz';
  return digits.replace(/./g, (digit) => crockford.charAt(Number.parseInt(digit, 32)));
}

test('is the first 10 bytes of SHA-256 over the JSON of the key, in lower-case Crockford base32', () => {
  fc.assert(
    fc.property(keys, (fields) => {
      expect(runId(asKey(fields))).toBe(expectedId(fields));
      expect(runId(asKey(fields))).toMatch(/^[0-9a-hjkmnp-tv-z]{16}$/);
    }),
  );
});

test('differs between keys that differ, and does not depend on the order in which fields are given', () => {
  fc.assert(
    fc.property(keys, keys, (one, other) => {
      const isSame = JSON.stringify(one) === JSON.stringify(other);
      expect(runId(asKey(one)) === runId(asKey(other))).toBe(isSame);
      const reversed = Object.fromEntries(Object.entries(asKey(one)).toReversed()) as unknown as RunKey;
      expect(runId(reversed)).toBe(runId(asKey(one)));
    }),
  );
});

/** Computed once with Python: json.dumps(key, separators=(',', ':'), ensure_ascii=False), hashlib, base64. */
const KNOWN: [string, KeyFields][] = [
  ['zswzar9jq1tghrtr', [1, 'default', 'train', null, null, null]],
  ['nj7pvsfsspj3f97g', [1, 'mnist', 'cnn', null, null, 7]],
  ['f6jgrsz5ysyxe0zx', [0, '', '', null, null, null]],
  ['cjsjxp56m5nq0pq0', [0, '', '', '', '', 0]],
  ['znaxnxnwn9mac7rz', [-9007199254740991, 'a', 'b', null, null, 9007199254740991]],
  ['cyb4ym9h1k3dmt4x', [3, 'wine', 'knn', 's-01', '{"k":5}', -1]],
  ['seke2hh4gkf9zef2', [1, 'naïve café', 'méthode', '日本語', '😀', 42]],
  ['20zk4m7a177ec3z4', [1, 'e\u0301', 'm', null, null, null]],
  ['9kf2yw2qwaqzg2yj', [1, '\u00e9', 'm', null, null, null]],
  ['p7e0h291626cbjhh', [1, 'q"uo\\te', 'tab\tnew\nline\r\b\f', '\u0000\u0001\u001f\u007f', '/', 1]],
  ['h3saqpd2ekz8dx9d', [1, '\u2028\u2029\u0085\u200b\ufeff', '\ufffd\uffff', '\u{10ffff}', 'null', null]],
];
test.each(KNOWN)('%s', (id, fields) => {
  expect(runId(asKey(fields))).toBe(id);
});

describe('a key that is none', () => {
  const key = asKey([1, 'd', 'm', null, null, null]);
  const WRONG: [string, object][] = [
    ['experiment_number', { experiment_number: null }],
    ['experiment_number', { experiment_number: 2 ** 53 }],
    ['experiment_number', { experiment_number: 1.5 }],
    ['experiment_number', { experiment_number: '1' }],
    ['experiment_number', { experiment_number: Number.NaN }],
    ['seed', { seed: -(2 ** 53) }],
    ['seed', { seed: 0.1 }],
    ['seed', { seed: true }],
    ['dataset', { dataset: null }],
    ['dataset', { dataset: 7 }],
    ['method', { method: undefined }],
    ['method', { method: 'x\ud800' }],
    ['subject', { subject: 7 }],
    ['subject', { subject: '\udc00x' }],
    ['cl_info', { cl_info: { lr: 1 } }],
    ['cl_info', { cl_info: undefined }],
  ];
  test.each(WRONG)('is refused with the name of the field: %s', (name, wrong) => {
    expect(() => runId({ ...key, ...wrong })).toThrow(
      expect.objectContaining({ code: 'invalid_key', message: expect.stringContaining(name) as string }),
    );
  });

  test('null is not the empty string, nor 0', () => {
    const ids = [
      key,
      { ...key, subject: '' },
      { ...key, cl_info: '' },
      { ...key, seed: 0 },
      { ...key, subject: 'null' },
    ].map(hashKey);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test('-0 is 0', () => {
    expect(runId({ ...key, seed: -0 })).toBe(runId({ ...key, seed: 0 }));
  });
});
