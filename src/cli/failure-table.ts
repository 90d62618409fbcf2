// Failures -> a table, and what can be done about those of known causes.
import type { FailureNode } from '../query/failure-nodes.ts';
import type { FailureGroup, SharedKey } from '../query/failures.ts';
import { compressHostList } from '../query/host-list.ts';
import { cutText } from './cut-text.ts';
import { shortIds } from './error-tables.ts';
import { cell, missing, type Cell, type Table } from './format/table.ts';
import { hoursAndMinutes, slurmMemory } from './human.ts';
import { ago } from './value-text.ts';

const SHOWN_NODES = 3;
const NODES_WIDTH = 32;

/** For people. */
export function failureTable(groups: readonly FailureGroup[], nowMs: number): Table {
  const hasAttempts = groups.some(({ attempts, run_ids }) => attempts > run_ids.length);
  const hasNodes = groups.some(({ nodes }) => nodes.length > 0);
  const hasShared = groups.some(({ shared }) => Object.keys(shared).length > 0);
  const hasMessages = groups.some(({ message }) => message !== null);
  return {
    columns: [
      { name: 'cause', shrink: 'cut' },
      { name: 'runs' },
      ...(hasAttempts ? [{ name: 'attempts' }] : []),
      ...(hasNodes ? [{ name: 'nodes', shrink: 'cut' as const }] : []),
      ...(hasShared ? [{ name: 'shared', label: 'in common', shrink: 'cut' as const }] : []),
      { name: 'last_ts', label: 'last' },
      { name: 'run_ids', label: 'in runs', shrink: 'cut' },
      ...(hasMessages ? [{ name: 'message', label: 'the last one said', shrink: 'cut' as const }] : []),
    ],
    rows: groups.map((group) => [
      cell(group.cause, undefined, group.cause === 'TIMEOUT' ? 'warn' : 'bad'),
      cell(group.run_ids.length),
      ...(hasAttempts ? [cell(group.attempts)] : []),
      ...(hasNodes ? [nodesCell(group.nodes)] : []),
      ...(hasShared ? [sharedCell(group.shared)] : []),
      cell(group.last_ts, ago(group.last_ts, nowMs)),
      cell(group.run_ids, shortIds(group.run_ids)),
      ...(hasMessages ? [cell(group.message)] : []),
    ]),
    notes: groups.flatMap((group) => {
      const hint = failureHint(group);
      return hint === undefined ? [] : [`${group.cause}: ${hint}`];
    }),
  };
}

const RECORD_FIELDS = [
  'cause',
  'attempts',
  'run_ids',
  'nodes',
  'shared',
  'first_ts',
  'last_ts',
  'message',
  'memory_mb',
  'max_rss_mb',
  'time_limit_seconds',
] as const satisfies readonly (keyof FailureGroup)[];

/** All that there is, for programs. */
export function failureRecords(groups: readonly FailureGroup[]): Table {
  return {
    columns: [...RECORD_FIELDS, 'hint'].map((name) => ({ name })),
    rows: groups.map((group) => [
      ...RECORD_FIELDS.map((name) => cell(group[name])),
      cell(failureHint(group) ?? null),
    ]),
  };
}

/** Those that stand out with their counts, else all, in SLURM's short form. */
function nodesCell(nodes: readonly FailureNode[]): Cell {
  if (nodes.length === 0) return missing();
  const telling = nodes.filter(({ stands_out }) => stands_out).slice(0, SHOWN_NODES);
  if (telling.length > 0) {
    const texts = telling.map(({ node, failures, of_failures }) => `${node} ${failures} of ${of_failures}`);
    return cell(nodes, texts.join(', '), 'warn');
  }
  return cell(nodes, cutText(compressHostList(nodes.map(({ node }) => node)), NODES_WIDTH));
}

const WORDS: Readonly<Partial<Record<keyof SharedKey, string>>> = {
  experiment_number: 'experiment ',
  cl_info: 'variant ',
  subject: 'subject ',
  seed: 'seed ',
};

/** `all digits, mlp`. */
function sharedCell(shared: SharedKey): Cell {
  const texts = Object.entries(shared).map(
    ([name, value]) => `${WORDS[name as keyof SharedKey] ?? ''}${value ?? 'none'}`,
  );
  return texts.length === 0 ? missing() : cell(shared, `all ${texts.join(', ')}`);
}

/** What can be done about it; undefined where that is not known. */
function failureHint({
  cause,
  memory_mb,
  max_rss_mb,
  time_limit_seconds,
  nodes,
}: FailureGroup): string | undefined {
  switch (cause) {
    case 'OUT_OF_MEMORY': {
      const asked = memory_mb === null ? [] : [`asked for ${slurmMemory(memory_mb)}`];
      const used = max_rss_mb === null ? [] : [`used ${slurmMemory(max_rss_mb)} when last looked at`];
      return [...asked, ...used, 'ask for more with --mem'].join(', ');
    }
    case 'TIMEOUT': {
      const limit =
        time_limit_seconds === null ? '' : `the limit was ${hoursAndMinutes(time_limit_seconds)}, `;
      return `${limit}ask for more with --time, or go on from a checkpoint`;
    }
    case 'NODE_FAIL': {
      const node = nodes.find(({ stands_out }) => stands_out);
      const away = node === undefined ? '' : `; --exclude=${node.node} keeps away from the node`;
      return `the node died; with --requeue SLURM starts the job again${away}`;
    }
    case 'PREEMPTED':
      return 'a job of higher priority took its place; with --requeue SLURM starts it again';
    case 'SIGKILL':
      return 'often the kernel, for want of memory: runfold jobs has what was used of what was asked for';
    case 'unknown':
      return 'nobody said why; runfold logs RUN shows the output of a run’s job';
    default:
      return undefined;
  }
}
