// The sources compiled once, for tests that start real processes: Node 20 cannot run TypeScript.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const CACHE = path.join(ROOT, 'node_modules/.cache/runfold-test-build');
const VARIABLE = 'RUNFOLD_TEST_BUILD';
const KEEP_MS = 3_600_000;

/** The folder with the compiled `logger.js`, `cli/main.js` and so on. */
export function builtDir(): string {
  return process.env[VARIABLE] ?? build();
}

/** A compiled module as a URL that a script can import: `builtUrl('logger.js')`. */
export function builtUrl(file: string): string {
  return pathToFileURL(path.join(builtDir(), file)).href;
}

/**
 * Compiles `src` unless that was done for these very contents. Every content has a folder of its own, so that
 * several test runs at the same time, and edits between them, do not disturb each other.
 */
export function build(): string {
  const target = path.join(CACHE, contentsHash());
  if (!fs.existsSync(target)) {
    removeOldBuilds();
    compileInto(target);
  }
  // in use: not old yet
  fs.utimesSync(target, new Date(), new Date());
  process.env[VARIABLE] = target;
  return target;
}

function contentsHash(): string {
  const hash = createHash('sha256');
  const sources = fs.readdirSync(path.join(ROOT, 'src'), { recursive: true, encoding: 'utf8' });
  const files = sources.map((name) => path.join('src', name));
  for (const name of [...files.toSorted(), 'package.json', 'tsconfig.json', 'tsconfig.build.json']) {
    const file = path.join(ROOT, name);
    if (fs.statSync(file).isFile()) hash.update(name).update('\0').update(fs.readFileSync(file)).update('\0');
  }
  return hash.digest('hex').slice(0, 16);
}

function compileInto(target: string): void {
  const draft = `${target}-${process.pid}`;
  const tsc = path.join(ROOT, 'node_modules/typescript/bin/tsc');
  const args = ['-p', path.join(ROOT, 'tsconfig.build.json'), '--outDir', draft];
  const compiled = spawnSync(process.execPath, [tsc, ...args], { cwd: ROOT, encoding: 'utf8' });
  // types are the type check's business; here it only matters that something was written
  if (!fs.existsSync(path.join(draft, 'logger.js'))) {
    throw new Error(`the build for the tests has failed\n${compiled.stdout}${compiled.stderr}`);
  }
  // below node_modules no package.json of ours is found
  fs.copyFileSync(path.join(ROOT, 'package.json'), path.join(draft, 'package.json'));
  try {
    fs.renameSync(draft, target);
  } catch (error) {
    if (!fs.existsSync(target)) throw error;
    fs.rmSync(draft, { recursive: true });
  }
}

function removeOldBuilds(): void {
  fs.mkdirSync(CACHE, { recursive: true });
  for (const name of fs.readdirSync(CACHE)) {
    const folder = path.join(CACHE, name);
    const age = Date.now() - (fs.statSync(folder, { throwIfNoEntry: false })?.mtimeMs ?? 0);
    if (age > KEEP_MS) fs.rmSync(folder, { recursive: true, force: true });
  }
}
