// Columns that hold JSON. The schema says of which shape; nothing but the projector writes them.

/** An object as it was logged. Keys are data: ask with `Object.hasOwn`, one may be `__proto__`. */
export type JsonObject = Readonly<Record<string, unknown>>;

export function parseObject<Value>(text: string): Readonly<Record<string, Value>> {
  return JSON.parse(text) as Readonly<Record<string, Value>>;
}

export function parseStrings(text: string): readonly string[] {
  return JSON.parse(text) as readonly string[];
}

/** `parse` for a column that may be NULL. */
export function orNull<Value>(text: string | null, parse: (text: string) => Value): Value | null {
  return text === null ? null : parse(text);
}
