// SLURM's lists of nodes, `node[1-3,7],gpu01`: to names and back.

/** A job on more nodes than these is told by its list alone; nobody can make a name of a billion. */
const MOST_HOSTS = 4096;
const LONGEST_LIST = 65_536;

/** What SLURM says where there is no node. */
const NO_HOSTS: ReadonlySet<string> = new Set(['', '(null)', 'None', 'None assigned', 'N/A']);

/** `node`, or `[1-3,7]`; anything else is not of this form. */
const PARTS = /([^[\],\s]+)|\[([^[\]]*)\]/y;
const RANGE = /^(\d{1,12})(?:-(\d{1,12}))?$/;
const NUMBERED = /^(.*?)(\d{1,12})$/s;

/**
 * The names in the order of the list, without repeats; `[]` where it says that there is none. Undefined: it is not of
 * the form, or of more than 4096 names.
 */
export function expandHostList(list: string): string[] | undefined {
  const text = list.trim();
  if (NO_HOSTS.has(text)) return [];
  if (text.length > LONGEST_LIST) return undefined;
  const hosts = new Set<string>();
  for (const item of itemsOf(text)) {
    const names = expandItem(item);
    if (names === undefined) return undefined;
    for (const name of names) hosts.add(name);
    if (hosts.size > MOST_HOSTS) return undefined;
  }
  return [...hosts];
}

/** At commas that are in no brackets. */
function itemsOf(text: string): string[] {
  const items = [''];
  let depth = 0;
  for (const character of text) {
    if (character === '[') depth += 1;
    if (character === ']') depth -= 1;
    if (character === ',' && depth === 0) items.push('');
    else items.push((items.pop() ?? '') + character);
  }
  return items;
}

function expandItem(item: string): string[] | undefined {
  let names = [''];
  let at = 0;
  while (at < item.length) {
    PARTS.lastIndex = at;
    const [whole = '', plain, ranges] = PARTS.exec(item) ?? [];
    if (whole === '') return undefined;
    const ends = ranges === undefined ? [plain ?? ''] : expandRanges(ranges);
    if (ends === undefined || names.length * ends.length > MOST_HOSTS) return undefined;
    names = names.flatMap((name) => ends.map((end) => name + end));
    at += whole.length;
  }
  return item === '' ? undefined : names;
}

/** `1-3,7` with the zeros that its numbers begin with. */
function expandRanges(ranges: string): string[] | undefined {
  const numbers: string[] = [];
  for (const range of ranges.split(',')) {
    const [, first, last = first] = RANGE.exec(range) ?? [];
    if (first === undefined || last === undefined) return undefined;
    const [from, to] = [Number(first), Number(last)];
    if (to < from || to - from >= MOST_HOSTS) return undefined;
    for (let number = from; number <= to; number += 1)
      numbers.push(String(number).padStart(first.length, '0'));
    if (numbers.length > MOST_HOSTS) return undefined;
  }
  return numbers;
}

/** The shortest list of these names that has each number once: `node[1-3,7],gpu01`. Sorted; repeats count once. */
export function compressHostList(hosts: Iterable<string>): string {
  const names = [...new Set(hosts)];
  const parsed = names.map((name) => ({ name, ...numberedName(name) }));
  // a zero before it makes it another name: node01 is not node1, and stands with node10
  const padded = new Set(parsed.flatMap(({ digits = '', key }) => (digits.startsWith('0') ? [key] : [])));
  const groups = new Map<string, { prefix: string; width: number; numbers: number[] }>();
  const plain: string[] = [];
  for (const { name, prefix = '', digits, key } of parsed) {
    if (digits === undefined) plain.push(name);
    else {
      const width = padded.has(key) ? digits.length : 0;
      const of = `${width}:${prefix}`;
      const group = groups.get(of) ?? { prefix, width, numbers: [] };
      group.numbers.push(Number(digits));
      groups.set(of, group);
    }
  }
  const lists = [...groups.values()].map(({ prefix, width, numbers }) => {
    const ranges = stretchesOf(numbers).map(({ from, to }) =>
      from === to ? digitsOf(from, width) : `${digitsOf(from, width)}-${digitsOf(to, width)}`,
    );
    return numbers.length === 1 ? prefix + ranges.join(',') : `${prefix}[${ranges.join(',')}]`;
  });
  return [...plain, ...lists].toSorted().join(',');
}

function numberedName(name: string): { prefix?: string; digits?: string; key: string } {
  const [, prefix, digits] = NUMBERED.exec(name) ?? [];
  if (prefix === undefined || digits === undefined) return { key: '' };
  return { prefix, digits, key: `${digits.length}:${prefix}` };
}

function digitsOf(number: number, width: number): string {
  return String(number).padStart(width, '0');
}

/** From and to, both inclusive. */
export interface Stretch {
  from: number;
  to: number;
}

/** Whole numbers in whatever order -> stretches without a gap, in order. */
export function stretchesOf(numbers: Iterable<number>): Stretch[] {
  const stretches: Stretch[] = [];
  for (const number of [...new Set(numbers)].toSorted((a, b) => a - b)) {
    const last = stretches.at(-1);
    if (last !== undefined && number === last.to + 1) last.to = number;
    else stretches.push({ from: number, to: number });
  }
  return stretches;
}
