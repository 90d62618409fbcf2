// What is wrong with a field, in the words of someone who wrote the line.
import type { z } from 'zod';

const NOUNS: Readonly<Record<string, string>> = {
  string: 'a string',
  boolean: 'true or false',
  number: 'a number',
  int: 'a whole number within ±(2^53−1)',
  object: 'an object',
  array: 'a list',
};

const MAX_SHOWN = 3;

/** The first few problems of a line, each with the field it is about. */
export function describeIssues(issues: readonly z.core.$ZodIssue[], line: unknown): string {
  return issues
    .slice(0, MAX_SHOWN)
    .map((issue) => `${issue.path.join('.')} ${describeIssue(issue, valueAt(line, issue.path))}`)
    .join('; ');
}

function describeIssue(issue: z.core.$ZodIssue, value: unknown): string {
  if (value === undefined || value === null) return 'is missing';
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${NOUNS[issue.expected] ?? issue.expected}`;
    case 'invalid_value':
      return `must be one of: ${issue.values.join(', ')}`;
    case 'too_small':
      return `must be at least ${issue.minimum}`;
    case 'too_big':
      return `must be ${NOUNS['int']}`;
    case 'invalid_union':
      return describeUnion(issue);
    case 'not_multiple_of':
    case 'unrecognized_keys':
    case 'invalid_key':
    case 'invalid_element':
    case 'invalid_format':
    case 'custom':
      return issue.message;
  }
}

/** All that may stand there: the types and the words of its members. */
function describeUnion({ errors }: z.core.$ZodIssueInvalidUnion): string {
  const members = errors.flat().map((member) => {
    if (member.code === 'invalid_type') return NOUNS[member.expected] ?? member.expected;
    return member.code === 'invalid_value'
      ? member.values.map((value) => JSON.stringify(value)).join(', ')
      : '';
  });
  return `must be ${[...new Set(members)].filter((member) => member !== '').join(' or ')}`;
}

function valueAt(line: unknown, path: readonly PropertyKey[]): unknown {
  let value = line;
  for (const key of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Readonly<Record<PropertyKey, unknown>>)[key];
  }
  return value;
}
