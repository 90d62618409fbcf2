// The nodes that failures share, against those that all jobs ran on.
import { compareIds } from './job-tasks.ts';
import { expandHostList } from './host-list.ts';

/** A node, and how much of the failures and of all executions it had. */
export interface FailureNode {
  node: string;
  /** Failures of the group that ran on it, of those whose nodes are known. */
  failures: number;
  of_failures: number;
  /** Of all executions of the runs that match, likewise. */
  executions: number;
  of_executions: number;
  /** Two failures or more were on it, and it had at least twice its share of them. */
  stands_out: boolean;
}

const TELLING_FAILURES = 2;
const TELLING_RATIO = 2;

/** How often each node was among the nodes of something. */
export class NodeCounts {
  readonly counts = new Map<string, number>();
  total = 0;

  /** `list` is a list of SLURM's; one that cannot be read is a node of that name. */
  add(list: string, times = 1): void {
    const nodes = expandHostList(list) ?? [list];
    if (nodes.length === 0) return;
    this.total += times;
    for (const node of nodes) this.counts.set(node, (this.counts.get(node) ?? 0) + times);
  }
}

/** Those with the most failures first. */
export function failureNodes(failed: NodeCounts, all: NodeCounts): FailureNode[] {
  return [...failed.counts]
    .map(([node, failures]) => {
      const executions = all.counts.get(node) ?? failures;
      const of_executions = Math.max(all.total, 1);
      const ratio = failures / failed.total / (executions / of_executions);
      return {
        node,
        failures,
        of_failures: failed.total,
        executions,
        of_executions: all.total,
        stands_out: failures >= TELLING_FAILURES && ratio >= TELLING_RATIO,
      };
    })
    .toSorted((a, b) => b.failures - a.failures || compareIds(a.node, b.node));
}
