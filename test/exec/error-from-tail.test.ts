// Errors found in what real programs print when they fail, and whatever else may come.
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { errorFromTail, type TailError } from '../../src/exec/error-from-tail.ts';
import type { CommandEnd } from '../../src/exec/outcome.ts';
import { tempDir } from '../events/temp-dir.ts';

const EXIT_1: CommandEnd = { kind: 'exited', code: 1 };

/** What a program says when it is run, and the error in it. */
function errorOfRun(program: string, args: readonly string[]): TailError {
  const { status, signal, stderr, error } = spawnSync(program, args, { encoding: 'utf8', env: plainEnv() });
  if (error !== undefined) throw error;
  const end: CommandEnd =
    signal === null ? { kind: 'exited', code: status ?? 0 } : { kind: 'killed', signal };
  expect(end).not.toEqual({ kind: 'exited', code: 0 });
  return errorFromTail(stderr, end);
}

/** A place for crashes without a core, and without colours. */
function plainEnv(): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'], HOME: process.env['HOME'], LC_ALL: 'C.UTF-8' };
}

function has(program: string): boolean {
  return spawnSync(program, ['--version']).status === 0;
}

function fileWith(name: string, text: string): string {
  const file = path.join(tempDir(), name);
  fs.writeFileSync(file, text);
  return file;
}

function python(text: string): TailError {
  return errorOfRun('python3', [fileWith('train.py', text)]);
}

describe.skipIf(!has('python3'))('Python', () => {
  test.each<[string, string, string, string]>([
    ['an exception', 'raise ValueError("bad shape")', 'ValueError', 'bad shape'],
    ['without a message', 'assert 1 == 2', 'AssertionError', ''],
    [
      'a class in a module',
      'import json; json.loads("{")',
      'json.decoder.JSONDecodeError',
      'Expecting property name',
    ],
    [
      'a message of more lines',
      'raise RuntimeError("Error(s) in loading:\\n\\tMissing key: a")',
      'RuntimeError',
      'Error(s) in loading:\n\tMissing key: a',
    ],
    [
      'a class within a function',
      'def f():\n  class Own(Exception): pass\n  raise Own("x")\nf()',
      '__main__.f.<locals>.Own',
      'x',
    ],
    [
      'a chain',
      'try:\n  {}["a"]\nexcept KeyError as e:\n  raise TypeError("second") from e',
      'TypeError',
      'second',
    ],
    [
      'during the handling of another',
      'try:\n  {}["a"]\nexcept KeyError:\n  1/0',
      'ZeroDivisionError',
      'division by zero',
    ],
    ['a syntax error of the script', 'print(\n', 'SyntaxError', "'(' was never closed"],
    ['wrong indentation', 'if 1:\nx\n', 'IndentationError', 'expected an indented block'],
    ['deep recursion', 'def f(): f()\nf()', 'RecursionError', 'maximum recursion depth exceeded'],
    [
      'lines after it',
      'import atexit, sys\natexit.register(lambda: print("\\nsaved a checkpoint", file=sys.stderr))\nraise ValueError("x")',
      'ValueError',
      'x',
    ],
    [
      'a progress bar before it',
      'import sys\nsys.stderr.write("\\r 10%|#   | 1/10")\nraise ValueError("x")',
      'ValueError',
      'x',
    ],
    [
      'one that was handled before',
      'import traceback\ntry:\n  1/0\nexcept Exception:\n  traceback.print_exc()\nraise ValueError("x")',
      'ValueError',
      'x',
    ],
    ['a name in another script', 'class Größe(Exception): pass\nraise Größe("ü")', '__main__.Größe', 'ü'],
  ])('%s', (_, text, type, message) => {
    const found = python(text);
    expect(found).toMatchObject({
      exception_type: type.replace(
        '__main__.',
        found.exception_type.startsWith('__main__.') ? '__main__.' : '',
      ),
      from: 'text',
    });
    expect(found.message.startsWith(message)).toBe(true);
    if (message !== '' && !message.includes('Expecting'))
      expect(found.message.split('\n')).toHaveLength(message.split('\n').length);
    expect(found.traceback).toContain(found.message);
  });

  test('an exception group', () => {
    const found = python('raise ExceptionGroup("several", [ValueError("one"), TypeError("two")])');
    // Python 3.10 and older have none
    expect(['ExceptionGroup', 'NameError']).toContain(found.exception_type);
    if (found.exception_type === 'ExceptionGroup') expect(found.message).toBe('several (2 sub-exceptions)');
  });

  test('sys.exit with a message is no exception', () => {
    expect(python('import sys; sys.exit("no such data set")')).toMatchObject({
      exception_type: 'ExitCode 1',
      message: 'no such data set',
      from: 'exit code',
    });
  });

  test('a segfault after an exception that was handled', () => {
    const found = python(
      'import traceback, os, signal, sys\ntry:\n  1/0\nexcept Exception:\n  traceback.print_exc()\nprint("on", file=sys.stderr, flush=True)\nos.kill(os.getpid(), signal.SIGKILL)',
    );
    expect(found).toMatchObject({ exception_type: 'SIGKILL', message: 'on' });
  });
});

describe('Node', () => {
  test.each<[string, string, string, string]>([
    ['an exception', 'throw new TypeError("x")', 'TypeError', 'x'],
    ['a message of two lines', 'throw new RangeError("one\\ntwo")', 'RangeError', 'one\ntwo'],
    ['a property', 'throw Object.assign(new Error("x"), { code: "E" })', 'Error', 'x'],
    ['a cause', 'throw new Error("outer", { cause: new TypeError("inner") })', 'Error', 'outer'],
    [
      'an error of Node',
      'require("node:fs").readFileSync("/nowhere")',
      'Error',
      "ENOENT: no such file or directory, open '/nowhere'",
    ],
    [
      'a class of its own',
      'class DivergedError extends Error { name = "DivergedError" }; throw new DivergedError("nan")',
      'DivergedError',
      'nan',
    ],
    ['a rejection', 'Promise.reject(new SyntaxError("late"))', 'SyntaxError', 'late'],
    ['a value that is no error', 'throw "text"', 'Error', 'text'],
    [
      'a rejection with no error',
      'Promise.reject("text")',
      'UnhandledPromiseRejection',
      'This error originated either by throwing',
    ],
    ['a syntax error', 'const a = ;', 'SyntaxError', "Unexpected token ';'"],
  ])('%s', (_, text, type, message) => {
    const found = errorOfRun(process.execPath, [fileWith('train.cjs', text)]);
    expect(found).toMatchObject({ exception_type: type, from: 'text' });
    expect(found.message.startsWith(message)).toBe(true);
  });
});

describe.skipIf(!has('g++'))('C and C++', () => {
  const compiled = (name: string, text: string): string => {
    const source = fileWith(name, text);
    const program = `${source}.out`;
    const { status, stderr } = spawnSync('g++', ['-w', '-fstack-protector-all', '-o', program, source]);
    if (status !== 0) throw new Error(String(stderr));
    return program;
  };

  test.each<[string, string, string, string]>([
    [
      'an exception',
      '#include <stdexcept>\nint main() { throw std::runtime_error("bad shape"); }',
      'std::runtime_error',
      'bad shape',
    ],
    ['one that is no std::exception', 'int main() { throw 3; }', 'int', ''],
    [
      'terminate',
      '#include <exception>\nint main() { std::terminate(); }',
      'SIGABRT',
      'without an active exception',
    ],
    [
      'assert',
      '#include <cassert>\nint main() { int n = 2; assert(n == 1); }',
      'AssertionFailed',
      "Assertion `n == 1' failed.",
    ],
    [
      'free of what is none',
      '#include <cstdlib>\nint main() { int n; free((char*)&n + 3); }',
      'SIGABRT',
      'free(): invalid pointer',
    ],
    [
      'double free',
      '#include <cstdlib>\nint main() { void *a = malloc(4000); void *b = malloc(4000); free(a); free(a); }',
      'SIGABRT',
      'double free or corruption',
    ],
    [
      'a smashed stack',
      '#include <cstring>\n__attribute__((noinline)) void f(char *p) { memset(p, 1, 64); }\nint main() { char a[8]; f(a); return a[3]; }',
      'SIGABRT',
      '*** stack smashing detected ***',
    ],
    ['a null pointer', 'int main() { volatile int *p = 0; return *p; }', 'SIGSEGV', ''],
    ['division by zero', '#include <csignal>\nint main() { raise(SIGFPE); }', 'SIGFPE', ''],
  ])('%s', (_, text, type, message) => {
    const found = errorOfRun('sh', ['-c', `ulimit -c 0; exec ${compiled('main.cc', text)}`]);
    expect(found.exception_type).toBe(type);
    expect(found.message.startsWith(message)).toBe(true);
  });
});

describe('shells', () => {
  test.each([
    ['bash', 'true\nno_such_command x\n', 'CommandNotFound', 'no_such_command: command not found'],
    ['sh', 'no_such_command x\n', 'CommandNotFound', 'not found'],
    ['bash', 'set -u\necho $nothing\n', 'ShellError', 'nothing: unbound variable'],
    ['bash', 'sh -c "kill -SEGV \\$\\$"\nexit $?\n', 'SIGSEGV', 'Segmentation fault'],
    ['bash', 'exit 3\n', 'ExitCode 3', ''],
  ])('%s: %s', (shell, text, type, message) => {
    const found = errorOfRun(shell, ['-c', `ulimit -c 0; exec ${shell} ${fileWith('job.sh', text)}`]);
    expect(found.exception_type).toBe(type);
    expect(found.message).toContain(message);
  });
});

/** As their programs print them, where they are not installed everywhere. */
const TEXTS: readonly [string, string, string, string][] = [
  [
    'Rust',
    "thread 'main' panicked at src/main.rs:2:5:\nindex out of bounds: the len is 3\nnote: run with `RUST_BACKTRACE=1` environment variable to display a backtrace\n",
    'panic',
    'index out of bounds: the len is 3',
  ],
  [
    'Rust before 1.73',
    "thread 'main' panicked at 'it''s over', src/main.rs:2:5\nnote: run with `RUST_BACKTRACE=1`\n",
    'panic',
    "it''s over",
  ],
  [
    'Go',
    'panic: runtime error: index out of range [5] with length 3\n\ngoroutine 1 [running]:\nmain.main()\n\t/tmp/x.go:6 +0x1d\nexit status 2\n',
    'panic',
    'runtime error: index out of range [5] with length 3',
  ],
  [
    'Java',
    'Exception in thread "main" java.lang.IllegalStateException: no model\n\tat Main.main(Main.java:3)\nCaused by: java.io.IOException: x\n\t... 1 more\n',
    'java.lang.IllegalStateException',
    'no model',
  ],
  [
    'Julia',
    'ERROR: LoadError: UndefVarError: x not defined\nStacktrace:\n [1] top-level scope\n   @ ~/x.jl:1\nin expression starting at /x.jl:1\n',
    'UndefVarError',
    'x not defined',
  ],
  [
    'R',
    'Error in f(x) : object of the wrong type\nCalls: f\nExecution halted\n',
    'Error',
    'in f(x) : object of the wrong type',
  ],
  [
    'libc++',
    'libc++abi: terminating due to uncaught exception of type std::runtime_error: bad shape\n',
    'std::runtime_error',
    'bad shape',
  ],
  [
    'CUDA out of memory',
    'Traceback (most recent call last):\n  File "/x.py", line 1, in <module>\n    x.cuda()\ntorch.cuda.OutOfMemoryError: CUDA out of memory. Tried to allocate 20.00 MiB\n',
    'torch.cuda.OutOfMemoryError',
    'CUDA out of memory. Tried to allocate 20.00 MiB',
  ],
  [
    'ranks of torch',
    '[rank1]: Traceback (most recent call last):\n[rank1]:   File "/x.py", line 1, in <module>\n[rank1]: ValueError: one\n[rank1]: two\nother\n',
    'ValueError',
    'one\ntwo',
  ],
  [
    'torchrun',
    '[rank0]: Traceback (most recent call last):\n[rank0]:   File "/x.py", line 1, in <module>\n[rank0]: ValueError: one\nE1126 failed (exitcode: 1)\nTraceback (most recent call last):\n  File "/bin/torchrun", line 8, in <module>\n    sys.exit(main())\ntorch.distributed.elastic.multiprocessing.errors.ChildFailedError: \n====\nx.py FAILED\n',
    'ValueError',
    'one',
  ],
  [
    'colours',
    '\u001b[1;35mTraceback (most recent call last):\u001b[0m\n  File "x.py", line 1\n\u001b[1;35mValueError\u001b[0m: \u001b[35mx\u001b[0m\n',
    'ValueError',
    'x',
  ],
  [
    'srun after it',
    'Traceback (most recent call last):\n  File "x.py", line 1\nValueError: x\nsrun: error: node1: task 0: Exited with exit code 1\n',
    'ValueError',
    'x',
  ],
];

test.each(TEXTS)('%s', (_, text, type, message) => {
  expect(errorFromTail(text, EXIT_1)).toMatchObject({ exception_type: type, message });
});

test('what cannot be started has the words of the shell', () => {
  const end = {
    kind: 'not started',
    code: 127,
    reason: 'not found',
    message: 'x: command not found',
  } as const;
  expect(errorFromTail('', end)).toMatchObject({ exception_type: 'not found', message: end.message });
});

test('of a SIGKILL nothing that was said before is the cause', () => {
  const text = 'Traceback (most recent call last):\n  File "x.py", line 1\nValueError: x\n';
  expect(errorFromTail(text, { kind: 'killed', signal: 'SIGKILL' }).exception_type).toBe('SIGKILL');
  expect(errorFromTail(text, { kind: 'killed', signal: 'SIGABRT' }).exception_type).toBe('ValueError');
  expect(errorFromTail(`${text}\nlater\n`, { kind: 'killed', signal: 'SIGSEGV' }).exception_type).toBe(
    'SIGSEGV',
  );
});

const PIECES = [
  'Traceback (most recent call last):', '  File "x", line 1', 'ValueError: x', '    at f (x.js:1:1)', 'TypeError', 'Node.js v20',
  "terminate called after throwing an instance of 'x'", '  what():  ', 'panic: ', 'goroutine 1 ', "thread 'x' panicked at ", "'", '*** ',
  'Assertion `', "' failed.", '\n', '\r', '\t', ' ', '|', '\0', '\u001b[31m', '\ud800', 'ERROR: LoadError: ', ': line 3: ', 'x: y',
] as const; // prettier-ignore

test('whatever the text and the end are, there is a bounded error of valid text', () => {
  const end: fc.Arbitrary<CommandEnd> = fc.oneof(
    fc.integer({ min: 0, max: 255 }).map((code) => ({ kind: 'exited', code }) as const),
    fc
      .constantFrom('SIGKILL', 'SIGSEGV', 'SIGTERM', 'SIGABRT')
      .map((signal) => ({ kind: 'killed', signal }) as const),
  );
  const text = fc
    .array(fc.oneof(fc.constantFrom(...PIECES), fc.string({ unit: 'binary', maxLength: 40 })), {
      maxLength: 200,
    })
    .map((parts) => parts.join(''));
  fc.assert(
    fc.property(text, end, (tail, how) => {
      const found = errorFromTail(tail, how);
      expect(found.exception_type).not.toBe('');
      expect(found.exception_type.length).toBeLessThanOrEqual(200);
      expect(found.message.length).toBeLessThanOrEqual(4096);
      expect((found.traceback ?? '').length).toBeLessThanOrEqual(16_384);
      // the same once more: nothing is kept between calls
      expect(errorFromTail(tail, how)).toEqual(found);
    }),
    { numRuns: 2000 },
  );
});

test.each(PIECES)(
  '64 KB of %j end',
  (piece) => {
    // a form that takes time squared would not come back before the test's deadline
    for (const between of ['', '\n', ' ']) {
      const text = `${piece}${between}`
        .repeat(Math.ceil(65_536 / (piece.length + between.length)))
        .slice(0, 65_536);
      expect(errorFromTail(text, EXIT_1).exception_type).not.toBe('');
    }
  },
  20_000,
);
