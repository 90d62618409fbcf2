// The default for `method`: the name of the script that a command runs, as the loggers inside have it.
import path from 'node:path';

/** Programs that run what is named after them. */
const RUNNERS =
  /^(?:python[\d.]*|pypy[\d.]*|node|deno|bun|tsx|bash|sh|dash|zsh|ksh|Rscript|julia|perl|ruby|env|time|nice|nohup|timeout|stdbuf|numactl|srun|mpirun|mpiexec|torchrun|accelerate|deepspeed|uv|poetry|pixi|conda|mamba|micromamba|apptainer|singularity)$/;
const SCRIPT = /\.(?:py|ipynb|[cm]?[jt]s|sh|bash|R|r|jl|pl|rb|m)$/;

/** The path of the script of a command, else its program. */
export function scriptOf(words: readonly string[]): string | undefined {
  const [program] = words;
  if (program === undefined || !RUNNERS.test(path.basename(program))) return program;
  // a word with blanks is a line for a shell
  for (const [index, word] of words.entries()) {
    if (index > 0 && SCRIPT.test(word) && !/\s/.test(word)) return word;
    // a module of Python: pkg.train is pkg/train.py
    if (word === '-m') return `${(words[index + 1] ?? program).replaceAll('.', '/')}.py`;
  }
  return program;
}
