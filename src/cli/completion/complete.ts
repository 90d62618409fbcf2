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
  'dataset',
  'method',
  'subject',
  'clInfo',
  'seed',
  'experimentNumber',
  'tag',
] as const;
export type KnownName = (typeof KNOWN_NAMES)[number];

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
    values: new Map(),
  };
  for (const word of words.slice(0, -1)) advance(position, word);

  const { command, waiting, isLiteral, values } = position;
  const place = { ledger: values.get('ledger'), db: values.get('db') };
  if (waiting !== undefined) return valuesOf(waiting.attributeName(), waiting.argChoices, '', typed, place);
  if (isLiteral || !typed.startsWith('-')) return argumentsAt(position, typed, place);
  const at = typed.indexOf('=');
  if (at === -1) return choices(flagsOf(command), typed);
  const option = optionOf(command, typed.slice(0, at));
  if (option === undefined || option.isBoolean()) return choices([], typed);
  return valuesOf(
    option.attributeName(),
    option.argChoices,
    typed.slice(0, at + 1),
    typed.slice(at + 1),
    place,
  );
}

function advance(position: Position, word: string): void {
  const { command, waiting } = position;
  if (waiting !== undefined) {
    position.values.set(waiting.attributeName(), word);
    position.waiting = undefined;
  } else if (!position.isLiteral && word === '--') position.isLiteral = true;
  else if (!position.isLiteral && word.startsWith('-') && word !== '-') advanceByFlag(position, word);
  else {
    const inner = position.argumentCount === 0 ? subcommand(command, word) : undefined;
    if (inner === undefined || position.isLiteral) position.argumentCount += 1;
    else position.command = inner;
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
  { command, argumentCount }: Position,
  typed: string,
  place: Pick<Known, 'ledger' | 'db'>,
): Wanted {
  const inner = argumentCount === 0 ? command.createHelp().visibleCommands(command) : [];
  if (inner.length > 0) {
    return choices(
      inner.map((each) => ({ value: each.name(), description: each.description() })),
      typed,
    );
  }
  const argument = command.registeredArguments[argumentCount] ?? variadic(command.registeredArguments.at(-1));
  if (argument === undefined) return choices([], typed);
  // of `<runs...>` one
  const name = argument.name().replace(/s$/, '');
  return valuesOf(name, argument.argChoices, '', typed, place);
}

function variadic(argument: Argument | undefined): Argument | undefined {
  return argument?.variadic === true ? argument : undefined;
}

function valuesOf(
  name: string,
  fixed: readonly string[] | undefined,
  before: string,
  typed: string,
  place: Pick<Known, 'ledger' | 'db'>,
): Wanted {
  if (fixed !== undefined || name === 'status') {
    const values = (fixed ?? RUN_STATUSES).map((value) => ({ value: before + value, description: '' }));
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
    .map(({ long, short, description }) => ({ value: long ?? short ?? '', description }));
}

function optionOf(command: Command, flag: string): Option | undefined {
  return command.options.find(({ long, short }) => flag === long || flag === short);
}

function subcommand(command: Command, word: string): Command | undefined {
  return command.commands.find((each) => each.name() === word);
}
