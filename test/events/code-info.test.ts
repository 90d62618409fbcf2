import * as fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { gitCommit } from '../../src/events/code-info.ts';
import { tempDir } from './temp-dir.ts';

describe('the commit', () => {
  const commit = 'a'.repeat(40);

  function repository(files: Readonly<Record<string, string>>): string {
    const dir = tempDir();
    for (const [name, text] of Object.entries(files)) {
      fs.mkdirSync(path.dirname(path.join(dir, name)), { recursive: true });
      fs.writeFileSync(path.join(dir, name), text);
    }
    fs.mkdirSync(path.join(dir, 'deep/down'), { recursive: true });
    return path.join(dir, 'deep/down');
  }

  it.each<[string, Record<string, string>, string | undefined]>([
    ['a branch', { '.git/HEAD': 'ref: refs/heads/main\n', '.git/refs/heads/main': `${commit}\n` }, commit],
    [
      'a packed branch',
      {
        '.git/HEAD': 'ref: refs/heads/a/b\n',
        '.git/packed-refs': `# pack\n${'b'.repeat(40)} refs/heads/a\n${commit} refs/heads/a/b\n`,
      },
      commit,
    ],
    ['no branch', { '.git/HEAD': `${commit}\n` }, commit],
    [
      'a work tree',
      {
        '.git': 'gitdir: main/.git/worktrees/w\n',
        'main/.git/worktrees/w/HEAD': 'ref: refs/heads/w\n',
        'main/.git/worktrees/w/commondir': '../..\n',
        'main/.git/refs/heads/w': commit,
      },
      commit,
    ],
    ['no commit yet', { '.git/HEAD': 'ref: refs/heads/main\n' }, undefined],
    ['something else', { '.git/HEAD': 'ref: ../../etc/passwd\n' }, undefined],
  ])('on %s', (_, files, expected) => {
    expect(gitCommit(repository(files))).toBe(expected);
  });
});
