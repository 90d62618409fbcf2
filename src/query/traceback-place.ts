// Where an exception was raised, read from its traceback.

interface Pattern {
  form: RegExp;
  /** Which of the frames is where it was raised. */
  pick: 'first' | 'last';
}

/** None goes on beyond what ^ and $ take for a line: where each line might be read to the end, many would take for ever. */
const PATTERNS: readonly Pattern[] = [
  // Python: the innermost frame is the last
  {
    form: /^[ \t]*File "(?<file>[^"\n\r\u2028\u2029]+)", line (?<line>\d+)(?:, in (?<where>.+))?/gm,
    pick: 'last',
  },
  // JavaScript: the innermost frame is the first
  {
    form: /^[ \t]+at (?:(?<where>[^(\n\r\u2028\u2029]+) \()?(?<file>[^\s()][^()\n\r\u2028\u2029]*?):(?<line>\d+):\d+\)?[ \t]*$/gm,
    pick: 'first',
  },
  // Julia, Rust, C++ and others: a line with `at file:line`
  { form: /\bat (?<file>[^\s:]+):(?<line>\d+)/gm, pick: 'first' },
];

/** Frames of the language and of installed packages: the user's own code is what a group is about. */
const FOREIGN =
  /^(?:node:|<frozen |internal\/)|[/\\](?:site-packages|dist-packages|node_modules|lib[/\\]python[\d.]+)[/\\]/;

/**
 * `train.py:41 in step`: file without its folders, line, and the function if the traceback has it. Of the user's own
 * code if any frame is. Null if the traceback has no frame that can be read.
 */
export function tracebackPlace(traceback: string | null): string | null {
  if (traceback === null) return null;
  for (const { form, pick } of PATTERNS) {
    const all = [...traceback.matchAll(form)].map(({ groups = {} }) => groups);
    const own = all.filter(({ file = '' }) => !FOREIGN.test(file));
    const frames = own.length > 0 ? own : all;
    const frame = pick === 'last' ? frames.at(-1) : frames[0];
    if (frame !== undefined) return placeOf(frame);
  }
  return null;
}

function placeOf({ file = '', line = '', where }: Readonly<Record<string, string>>): string {
  const name = file.split(/[/\\]/).at(-1) ?? file;
  return where === undefined || where === '<module>'
    ? `${name}:${line}`
    : `${name}:${line} in ${where.trim()}`;
}
