// A process and all below it: what they use. Pure.
import { grouped } from '../grouped.ts';

export interface ProcessFacts {
  pid: number;
  parent: number;
  /** Of the process and of its children that have ended and been waited for. */
  cpuSeconds: number;
}

/** USER_HZ, which is 100 on all machines that Linux runs on today. */
const TICKS_PER_SECOND = 100;

/** @param stat the text of /proc/<pid>/stat; undefined if it is not one */
export function parseStat(stat: string): ProcessFacts | undefined {
  // the name in parentheses may hold anything, parentheses and line feeds too
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const pid = Number.parseInt(stat, 10);
  const parent = Number(fields[1]);
  // utime, stime, cutime, cstime
  const ticks = [11, 12, 13, 14].reduce((sum, index) => sum + Number(fields[index]), 0);
  if (![pid, parent, ticks].every(Number.isFinite)) return undefined;
  return { pid, parent, cpuSeconds: ticks / TICKS_PER_SECOND };
}

/** What `ps -A -o pid=,ppid=,time=,rss=` says, where there is no /proc. */
export function parsePs(text: string): (ProcessFacts & { rssMb: number })[] {
  return text.split('\n').flatMap((line) => {
    const [, pid, parent, time = '', rss] = /^\s*(\d+)\s+(\d+)\s+([\d:.-]+)\s+(\d+)\s*$/.exec(line) ?? [];
    if (pid === undefined) return [];
    return [
      { pid: Number(pid), parent: Number(parent), cpuSeconds: seconds(time), rssMb: Number(rss) / 1024 },
    ];
  });
}

/** `[[dd-]hh:]mm:ss[.cc]` */
function seconds(time: string): number {
  const [rest = '', days = '0'] = time.split('-').toReversed();
  return Number(days) * 86_400 + rest.split(':').reduce((sum, part) => sum * 60 + Number(part), 0);
}

/** A process and its descendants, those that are in the list. */
export function treeOf<T extends ProcessFacts>(root: number, all: readonly T[]): T[] {
  const children = grouped(all, ({ parent }) => parent);
  const tree = all.filter(({ pid }) => pid === root);
  const seen = new Set([root]);
  // grows while it is walked; read at different times, the parents could form a circle
  for (const { pid } of tree) {
    for (const child of children.get(pid) ?? []) {
      if (seen.has(child.pid)) continue;
      seen.add(child.pid);
      tree.push(child);
    }
  }
  return tree;
}

/** @param status the text of /proc/<pid>/status; 0 if it says nothing of memory, as of a process that has ended */
export function residentMb(status: string): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) / 1024;
}

/** 100 is one core. Never below 0: what a process of the tree had used is lost if it ends without being waited for. */
export function cpuPercent(before: number, now: number, elapsed: number): number | undefined {
  return elapsed > 0 ? (Math.max(0, now - before) / elapsed) * 100 : undefined;
}
