// Which code a run executes, as far as it can be read from a few small files: no process is started for it.
import { readFileSync, statSync, type Stats } from 'node:fs';
import path from 'node:path';
import { shellWord } from '../shell-word.ts';

export interface CodeInfo {
  git_commit: string | undefined;
  command: string;
  cwd: string;
}

const MAX_COMMAND = 8192;
const MAX_PACKED_REFS = 8 * 1_048_576;
const OBJECT_ID = /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/;

/**
 * The commit of the repository around `cwd`, the arguments of this program (never its environment, where secrets
 * are) and `cwd`. Whether the work tree differs from the commit cannot be known without reading all of it.
 */
export function codeInfo(cwd: string, argv: readonly string[], commitOf = gitCommit): CodeInfo {
  return { git_commit: commitOf(cwd), command: commandOf(argv), cwd };
}

function commandOf(argv: readonly string[]): string {
  const [program = 'node', ...rest] = argv;
  return [path.basename(program), ...rest].map(shellWord).join(' ').slice(0, MAX_COMMAND);
}

/** What HEAD names, or undefined: no repository, no commit yet, or a form of it that is not known here. */
export function gitCommit(cwd: string): string | undefined {
  const folder = gitFolder(cwd);
  if (folder === undefined) return undefined;
  const head = readSmall(path.join(folder, 'HEAD'));
  if (head === undefined) return undefined;
  if (!head.startsWith('ref: ')) return objectId(head);
  const ref = head.slice('ref: '.length);
  // a work tree has a HEAD of its own and shares the branches
  const shared = readSmall(path.join(folder, 'commondir'));
  const common = shared === undefined ? folder : path.resolve(folder, shared);
  return objectId(readSmall(path.join(common, ref))) ?? packedRef(common, ref);
}

function gitFolder(cwd: string): string | undefined {
  for (let folder = path.resolve(cwd); ; folder = path.dirname(folder)) {
    const candidate = path.join(folder, '.git');
    const found = look(candidate);
    if (found?.isDirectory()) return candidate;
    if (found?.isFile()) {
      const link = readSmall(candidate);
      return link?.startsWith('gitdir: ') ? path.resolve(folder, link.slice('gitdir: '.length)) : undefined;
    }
    if (folder === path.dirname(folder)) return undefined;
  }
}

function packedRef(common: string, ref: string): string | undefined {
  const packed = readSmall(path.join(common, 'packed-refs'), MAX_PACKED_REFS);
  const line = packed?.split('\n').find((text) => text.endsWith(` ${ref}`));
  return objectId(line?.split(' ')[0]);
}

function objectId(text: string | undefined): string | undefined {
  return text !== undefined && OBJECT_ID.test(text) ? text : undefined;
}

function look(file: string): Stats | undefined {
  try {
    return statSync(file, { throwIfNoEntry: false });
  } catch {
    // a folder above that may not be looked into
    return undefined;
  }
}

function readSmall(file: string, maxBytes = 4096): string | undefined {
  try {
    const stats = look(file);
    if (!stats?.isFile() || stats.size > maxBytes) return undefined;
    return readFileSync(file, 'utf8').trim();
  } catch {
    // the commit is told where it can be; a repository that cannot be read is no reason to disturb a run
    return undefined;
  }
}
