// What the processes of the command use now, from /proc or from ps.
import * as fs from 'node:fs';
import { askProgram } from './ask-program.ts';
import { parsePs, parseStat, residentMb, treeOf, type ProcessFacts } from './process-tree.ts';

export interface TreeUse {
  pids: ReadonlySet<number>;
  cpuSeconds: number;
  rssMb: number;
}

const PS_MS = 5000;

/** Undefined if the process is gone or nothing can be learnt of it. Never rejects. */
export async function treeUse(root: number): Promise<TreeUse | undefined> {
  const all = readProc();
  if (all !== undefined)
    return sum(treeOf(root, all), ({ pid }) => residentMb(readText(`/proc/${pid}/status`)));
  return sum(treeOf(root, parsePs(await ps())), ({ rssMb }) => rssMb);
}

function sum<T extends ProcessFacts>(tree: readonly T[], rss: (one: T) => number): TreeUse | undefined {
  if (tree.length === 0) return undefined;
  return {
    pids: new Set(tree.map(({ pid }) => pid)),
    cpuSeconds: tree.reduce((total, { cpuSeconds }) => total + cpuSeconds, 0),
    rssMb: tree.reduce((total, one) => total + rss(one), 0),
  };
}

function readProc(): ProcessFacts[] | undefined {
  let names: string[];
  try {
    names = fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  } catch {
    // there is none on this system
    return undefined;
  }
  const all = names.map((pid) => parseStat(readText(`/proc/${pid}/stat`))).filter((one) => one !== undefined);
  return all.length === 0 ? undefined : all;
}

function readText(file: string): string {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    // it has ended since it was listed, or belongs to somebody else
    return '';
  }
}

async function ps(): Promise<string> {
  return await new Promise((resolve) => {
    const options = { timeout: PS_MS, env: { ...process.env, LC_ALL: 'C' } };
    askProgram('ps', ['-A', '-o', 'pid=,ppid=,time=,rss='], options, (error, stdout) => {
      // without ps nothing is known, and nothing is said
      resolve(error === null ? stdout : '');
    });
  });
}
