// Lone surrogates can only come into a string through an escape; UTF-8 and SQLite cannot carry them.

const SURROGATE_ESCAPE = /\\u[dD][89a-fA-F]/;

/** Whether JSON text may hold a surrogate escape, lone or paired. */
export function mayHoldLoneSurrogate(text: string): boolean {
  return text.includes('\\u') && SURROGATE_ESCAPE.test(text);
}

/** A copy of a JSON value with every lone surrogate, in strings and keys, as U+FFFD. */
export function wellFormed(value: unknown): unknown {
  if (typeof value === 'string') return value.toWellFormed();
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(wellFormed);
  // fromEntries defines own properties, so that a key named __proto__ stays data
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key.toWellFormed(), wellFormed(inner)]),
  );
}
