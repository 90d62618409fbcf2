// Last words of programs in C, C++, Rust, Go, Java, Julia and R, and of the libraries below them.
import { isBlank, messageFrom, type FoundError } from './found-error.ts';

interface Form {
  /** Its first group is the type, unless `type` is given, its second the message. */
  line: RegExp;
  type?: string;
  /** Of what follows: the message where the line has none, or more of it. */
  next?: RegExp;
  /** The language's name for the end of the program, without which such a line is no error. */
  before?: RegExp;
}

const FORMS: readonly Form[] = [
  // C++
  { line: /^terminate called after throwing an instance of '(.+)'$/, next: /^\s+what\(\):\s+(.*)$/ },
  { line: /^terminate called ()((?:without|recursively).*)$/, type: 'SIGABRT' },
  { line: /^libc\+\+abi: terminating (?:due to|with) uncaught exception of type ((?:[^:]|::)+)(?:: (.*))?$/ },
  // C
  { line: /^.*()(Assertion [`'(].* failed\.)$/, type: 'AssertionFailed' },
  { line: /^()(Assertion failed: .*)$/, type: 'AssertionFailed' },
  { line: /^()(\*\*\* [^*]+ \*\*\*.*)$/, type: 'SIGABRT' },
  { line: /^()((?:free|munmap_chunk|[mc]alloc|realloc|malloc_consolidate)\(\): .+)$/, type: 'SIGABRT' },
  { line: /^()((?:double free or corruption|corrupted (?:size|double-linked)).*)$/, type: 'SIGABRT' },
  { line: /^==\d+==ERROR: (\w+Sanitizer): (.*)$/ },
  // Rust, of two generations
  { line: /^thread '.*'(?: \(\d+\))? panicked at ()'(.*)', [^']+$/, type: 'panic' },
  { line: /^thread '.*'(?: \(\d+\))? panicked at .+:$/, type: 'panic', next: /^(.*)$/ },
  // Go
  { line: /^(panic|fatal error): (.*)$/, before: /^goroutine \d+ / },
  // Java
  { line: /^Exception in thread ".*" ([\w.$]+)(?:: (.*))?$/ },
  // Julia
  // of two forms that match the same line the later one counts
  { line: /^ERROR: (?:LoadError: )*()(.*)$/, type: 'ErrorException', before: /^Stacktrace:/ },
  { line: /^ERROR: (?:LoadError: )*(\w+(?:Error|Exception))(?:: (.*)|\(.*)?$/ },
  // R
  { line: /^Error ?()((?:in .* )?: .*)$/, type: 'Error', before: /^Execution halted/ },
];

const NEAR_LINES = 40;

/** The last of each form. */
export function nativeErrors(lines: readonly string[]): FoundError[] {
  return FORMS.flatMap((form) => {
    const from = lines.findLastIndex((line) => form.line.test(line));
    const found = from === -1 ? undefined : errorOf(lines, from, form);
    return found === undefined ? [] : [found];
  });
}

function errorOf(lines: readonly string[], from: number, form: Form): FoundError | undefined {
  const { before, next } = form;
  if (before !== undefined) {
    const seen = lines.slice(from, from + NEAR_LINES).some((line) => before.test(line));
    if (!seen) return undefined;
  }
  const match = form.line.exec(lines[from] ?? '');
  const type = form.type ?? match?.[1] ?? '';
  const more = next?.exec(lines[from + 1] ?? '');
  if (more === null || more === undefined) {
    return { type, message: (match?.[2] ?? '').replace(/^: /, '').trim(), from, to: lastOf(lines, from) };
  }
  const { message } = messageFrom(lines, from + 1, more[1] ?? '', (line) =>
    /^(?:note|stack backtrace):/.test(line),
  );
  return { type, message, from, to: lastOf(lines, from) };
}

/** Frames and notes follow until there is a blank line. */
function lastOf(lines: readonly string[], from: number): number {
  let to = from;
  while (to + 1 < lines.length && !isBlank(lines[to + 1])) to += 1;
  return to;
}
