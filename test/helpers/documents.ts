// Documents taken apart: fences, and blocks in their order.
import * as fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export function readDocument(file: string): string {
  return fs.readFileSync(path.join(ROOT, file), 'utf8');
}

/** A fence, or the text between two of them as it stands. `heading` is that of the second level above it. */
export interface Part {
  language: string | undefined;
  content: string;
  heading: string;
}

/** All parts of a document in order; put together again by `textOf` they are the document. */
export function partsOf(text: string): Part[] {
  const parts: Part[] = [];
  let heading = '';
  const add = (language: string | undefined, content: string): void => {
    if (language === undefined) heading = [...content.matchAll(/^## (.*)$/gm)].at(-1)?.[1] ?? heading;
    parts.push({ language, content, heading });
  };
  let end = 0;
  for (const match of text.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)) {
    add(undefined, text.slice(end, match.index));
    add(match[1] ?? '', match[2] ?? '');
    end = match.index + match[0].length;
  }
  add(undefined, text.slice(end));
  return parts;
}

export function textOf(parts: readonly Part[]): string {
  return parts
    .map(({ language, content }) =>
      language === undefined ? content : `\`\`\`${language}\n${content}\`\`\``,
    )
    .join('');
}

/** The contents of the fences of one language. */
export function fences(text: string, language: string): string[] {
  return partsOf(text)
    .filter((part) => part.language === language)
    .map((part) => part.content);
}
