// `config.lr<0.01` -> a condition on a run.
import { RunfoldError } from '../errors.ts';
import { shown, wrongArgument } from './arguments.ts';

export const OPERATORS = ['=', '!=', '<', '<=', '>', '>=', '~', '!~'] as const;
export type Operator = (typeof OPERATORS)[number];

/**
 * `=` and `!=` with null ask whether there is a value. `!=` and `!~` hold exactly where `=` and `~` do not, also where
 * there is no value. `<` and the like hold between two numbers or two texts only. `~` asks whether a text has another
 * one in it, whatever the case of ASCII letters. On `tags`, `=` asks whether the run has that tag.
 */
export interface Condition {
  /** As for `parseField`. */
  field: string;
  op: Operator;
  value: string | number | boolean | null;
  /** The value as it was typed: a text that reads so is meant too. */
  text?: string;
}

const FORM = /^\s*((?:"(?:[^"\\]|\\.)*"|[^"=!<>~])+?)\s*(<=|>=|!=|!~|==|=|<|>|~)\s*(.*?)\s*$/s;
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const WORDS: ReadonlyMap<string, boolean | null> = new Map([
  ['true', true],
  ['false', false],
  ['null', null],
]);

/**
 * A field, an operator and a value: a number, `true`, `false`, `null`, a JSON string, or a text as it stands. A bare
 * `1` means the number and the text alike, `"1"` the text alone.
 *
 * @throws RunfoldError `usage`.
 */
export function parseCondition(text: string): Condition {
  const [, field, op, value] = (typeof text === 'string' ? FORM.exec(text) : null) ?? [];
  if (field === undefined || op === undefined || value === undefined) {
    throw new RunfoldError('usage', `${shown(text)} is not a condition`, {
      hint: `Write FIELD, an operator (${OPERATORS.join(' ')}) and a value: config.lr<0.01, status!=failed. Quote it for the shell.`,
    });
  }
  if (value === '') {
    throw new RunfoldError('usage', `${shown(text)} has no value`, {
      hint: `For the empty text write ${field}${op}"", for no value =null.`,
    });
  }
  if (/^[<>=]/.test(value)) {
    throw new RunfoldError('usage', `${shown(text)} has two operators`, {
      hint: `The operators are ${OPERATORS.join(' ')}. A text that begins so goes into double quotes: ${field}${op}${JSON.stringify(value)}`,
    });
  }
  return { field, op: op === '==' ? '=' : checkOperator(op), ...parseValue(value, text) };
}

/** What `parseCondition` reads as the same condition. */
export function formatCondition({ field, op, value, text }: Condition): string {
  return `${field}${op}${text ?? JSON.stringify(value)}`;
}

function parseValue(value: string, condition: string): Pick<Condition, 'value' | 'text'> {
  if (value.startsWith('"')) {
    try {
      return { value: String(JSON.parse(value)) };
    } catch {
      throw wrongArgument('a value that begins with "', 'a JSON string', condition);
    }
  }
  const word = WORDS.get(value);
  if (word !== undefined) return { value: word, text: value };
  return { value: NUMBER.test(value) ? Number(value) : value, text: value };
}

export function checkOperator(op: unknown): Operator {
  const found = OPERATORS.find((operator) => operator === op);
  if (found === undefined) throw wrongArgument('an operator', `one of ${OPERATORS.join(' ')}`, op);
  return found;
}
