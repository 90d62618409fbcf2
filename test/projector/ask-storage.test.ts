// The question itself, on a disk that answers; test/nfs asks a server that does not.
import * as fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { askStorage, isAnswered, type Question } from '../../src/projector/ask-storage.ts';
import { tempDir } from '../events/temp-dir.ts';

const PATIENCE_MS = 60_000;

test('a storage answers, whatever the names of its directories are, and also that there are none', async () => {
  const folder = tempDir();
  const names = ['plain', '-f', 'two\nlines', '$(touch hit)', "it's"].map((name) => path.join(folder, name));
  for (const name of names) fs.mkdirSync(name);
  for (const paths of [names, names.toReversed(), [path.join(folder, 'none')], ['-x'], []]) {
    expect(await isAnswered(askStorage(paths), PATIENCE_MS)).toBe(true);
  }
  expect(fs.readdirSync(folder)).toHaveLength(names.length);
});

function silence(): Question & { givenUp: number } {
  const question = {
    answered: new Promise<void>(() => undefined),
    givenUp: 0,
    giveUp: () => {
      question.givenUp += 1;
    },
  };
  return question;
}

test('nobody waits longer than was said, and the question stays asked', async () => {
  const question = silence();
  expect(await isAnswered(question, 1)).toBe(false);
  expect(question.givenUp).toBe(0);
});

test('a signal gives it up, also one that came before', async () => {
  for (const when of ['before', 'after']) {
    const question = silence();
    const ending = new AbortController();
    if (when === 'before') ending.abort();
    const waiting = isAnswered(question, Number.POSITIVE_INFINITY, ending.signal);
    ending.abort();
    await expect(waiting).rejects.toThrow('interrupted');
    expect(question.givenUp).toBe(1);
  }
});
