// What may come next on a command line that is not finished, from the tree of commands.
import type { Argument, Command, Option } from 'commander';
import { RUN_STATUSES } from '../../events/event.ts';

export interface Candidate {
  /** The whole word. */
  value: string;
  description: string;
}

/** What only the database knows, or the disk. */
export type Wanted = { kind: 'choices'; candidates: readonly Candidate[] } | { kind: 'files' } | Known;

/** Values of this name that the database has, for the word that begins with `typed`. */
export interface Known {
  kind: 'known';
  name: KnownName;
  /** Stands before the value in the word, as `--dataset=`. */
  before: string;
  typed: string;
  /** Where the line says that the database is. */
  ledger: string | undefined;
  db: string | undefined;
}

export const KNOWN_NAMES = [
  'run',
  'runId',
  'metric',
  'score',
  'field',
  'group',
  'dataset',
  'method',
  'subject',
  'clInfo',
  'seed',
  'experimentNumber',
  'tag',
] as const;
export type KnownName = (typeof KNOWN_NAMES)[number];

/** By the attribute of an option, what its value is where that has another name. */
const OPTION_VALUES: Readonly<Record<string, KnownName>> = {
  // a command that writes about a run does not look for it
  run: 'runId',
  name: 'metric',
  sort: 'field',
  select: 'field',
  rows: 'field',
  columns: 'field',
  by: 'group',
};
/** Options with several values, joined by commas. */
const LISTS: ReadonlySet<string> = new Set(['status', 'select']);

const FILES: ReadonlySet<string> = new Set(['ledger', 'db', 'dir']);

/** Which command a line has come to, and what it waits for. */
interface Position {
  command: Command;
  /** An option whose value comes next. */
  waiting: Option | undefined;
  /** How many arguments of the command there are before. */
  argumentCount: number;
  /** After `--`: nothing is an option any more. */
  isLiteral: boolean;
  /** With `help`: which command it is asked about. */
  explained: Command | undefined;
  /** The values of options so far, by attribute. */
  values: Map<string, string>;
}

/** `words` are those after the name of the program; the last is the one that is being typed, and may be empty. */
export function complete(program: Command, words: readonly string[]): Wanted {
  const typed = words.at(-1) ?? '';
  const position: Position = {
    command: program,
    waiting: undefined,
    argumentCount: 0,
    isLiteral: false,
    explained: undefined,
    values: new Map(),
  };
  for (const word of words.slice(0, -1)) advance(position, word);

  const { command, waiting, isLiteral, values } = position;
  const place = { ledger: values.get('ledger'), db: values.get('db') };
  if (waiting !== undefined) return valuesOfOption(waiting, '', typed, place);
  if (isLiteral || !typed.startsWith('-')) return argumentsAt(position, typed, place);
  const at = typed.indexOf('=');
  if (at === -1) return choices(flagsOf(command), typed);
  const option = optionOf(command, typed.slice(0, at));
  if (option === undefined || option.isBoolean()) return choices([], typed);
  return valuesOfOption(option, typed.slice(0, at + 1), typed.slice(at + 1), place);
}

function advance(position: Position, word: string): void {
  const { command, waiting } = position;
  if (waiting !== undefined) {
    position.values.set(waiting.attributeName(), word);
    position.waiting = undefined;
  } else if (!position.isLiteral && word === '--') position.isLiteral = true;
  else if (!position.isLiteral && word.startsWith('-') && word !== '-') advanceByFlag(position, word);
  else if (position.explained !== undefined) {
    const inner = subcommand(position.explained, word);
    if (inner === undefined) position.argumentCount += 1;
    else position.explained = inner;
  } else {
    const inner = position.argumentCount === 0 ? subcommand(command, word) : undefined;
    if (inner === undefined || position.isLiteral) position.argumentCount += 1;
    else {
      position.command = inner;
      if (inner.name() === 'help') position.explained = inner.parent ?? undefined;
    }
  }
}

function advanceByFlag(position: Position, word: string): void {
  const [flag = '', ...rest] = word.split('=');
  const option = optionOf(position.command, flag);
  if (option === undefined) return;
  if (rest.length > 0) position.values.set(option.attributeName(), rest.join('='));
  else if (option.required) position.waiting = option;
}

function argumentsAt(
  { command, argumentCount, explained }: Position,
  typed: string,
  place: Pick<Known, 'ledger' | 'db'>,
): Wanted {
  const parent = explained ?? command;
  const inner = argumentCount === 0 ? parent.createHelp().visibleCommands(parent) : [];
  if (inner.length > 0) {
    return choices(
      inner.map((each) => ({ value: each.name(), description: each.description() })),
      typed,
    );
  }
  if (explained !== undefined) return choices([], typed);
  const argument = command.registeredArguments[argumentCount] ?? variadic(command.registeredArguments.at(-1));
  if (argument === undefined) return choices([], typed);
  // of `<runs...>` one
  const name = argument.name().replace(/s$/, '');
  // results can be ranked, and have no curve
  const isScore = name === 'metric' && command.name() === 'leaderboard';
  return valuesOf(isScore ? 'score' : name, argument.argChoices, '', typed, place);
}

function variadic(argument: Argument | undefined): Argument | undefined {
  return argument?.variadic === true ? argument : undefined;
}

/** Of a list, the item that is being typed; with a sort, what comes after its `-`. */
function valuesOfOption(
  option: Option,
  before: string,
  typed: string,
  place: Pick<Known, 'ledger' | 'db'>,
): Wanted {
  const name = option.attributeName();
  const start = LISTS.has(name)
    ? typed.lastIndexOf(',') + 1
    : name === 'sort' && typed.startsWith('-')
      ? 1
      : 0;
  const known = option.argChoices === undefined ? (OPTION_VALUES[name] ?? name) : name;
  return valuesOf(known, option.argChoices, before + typed.slice(0, start), typed.slice(start), place);
}

function valuesOf(
  name: string,
  fixed: readonly string[] | undefined,
  before: string,
  typed: string,
  place: Pick<Known, 'ledger' | 'db'>,
): Wanted {
  if (fixed !== undefined || name === 'status') {
    const given = before.replace(/^.*=/, '').split(',');
    const values = (fixed ?? RUN_STATUSES)
      .filter((value) => !given.includes(value))
      .map((value) => ({ value: before + value, description: '' }));
    return choices(values, before + typed);
  }
  if (FILES.has(name)) return { kind: 'files' };
  const known = KNOWN_NAMES.find((each) => each === name);
  return known === undefined ? choices([], typed) : { kind: 'known', name: known, before, typed, ...place };
}

function choices(candidates: readonly Candidate[], typed: string): Wanted {
  return { kind: 'choices', candidates: candidates.filter(({ value }) => value.startsWith(typed)) };
}

function flagsOf(command: Command): Candidate[] {
  return command
    .createHelp()
    .visibleOptions(command)
    .flatMap(({ long, short, description }) =>
      // a short form with two dashes is the name that people know
      [short, long].flatMap((flag) => (flag?.startsWith('--') === true ? { value: flag, description } : [])),
    );
}

function optionOf(command: Command, flag: string): Option | undefined {
  return command.options.find(({ long, short }) => flag === long || flag === short);
}

function subcommand(command: Command, word: string): Command | undefined {
  return command.commands.find((each) => each.name() === word);
}
