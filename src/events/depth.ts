// Nesting is counted before parsing: everything that walks a value later may then recurse.

const OPENERS = ['{', '['] as const;

/** Whether objects and arrays nest more than `limit` deep; brackets inside strings do not count. */
export function exceedsDepth(text: string, limit: number): boolean {
  return hasMoreOpeners(text, limit) && nestsDeeper(text, limit);
}

/** Native searches settle nearly every line: it has fewer brackets in all than the limit. */
function hasMoreOpeners(text: string, limit: number): boolean {
  let count = 0;
  for (const opener of OPENERS) {
    for (let at = text.indexOf(opener); at !== -1; at = text.indexOf(opener, at + 1)) {
      count += 1;
      if (count > limit) return true;
    }
  }
  return false;
}

function nestsDeeper(text: string, limit: number): boolean {
  let depth = 0;
  let inString = false;
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at];
    if (inString) {
      if (char === '\\') at += 1;
      else if (char === '"') inString = false;
    } else if (char === '"') inString = true;
    else if (char === '{' || char === '[') {
      depth += 1;
      if (depth > limit) return true;
    } else if (char === '}' || char === ']') depth -= 1;
  }
  return false;
}
