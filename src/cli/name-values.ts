// Objects as they are typed: name=value words, or one JSON object.

export function readNameValues(parts: readonly string[]): unknown {
  const [first = ''] = parts;
  if (parts.length === 1 && first.startsWith('{')) return parseLoosely(first);
  return Object.fromEntries(
    parts.map((part) => {
      const at = part.indexOf('=');
      return at === -1 ? [part, null] : [part.slice(0, at), parseLoosely(part.slice(at + 1))];
    }),
  );
}

export function parseLoosely(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // no JSON is text, as a shell user means it
    return text;
  }
}
