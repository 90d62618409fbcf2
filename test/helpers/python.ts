// A Python interpreter for a test: the one on PATH may lack packages that the system's has.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder that holds the package `runfold`. */
export const PYTHON_CLIENT = fileURLToPath(new URL('../../clients/python', import.meta.url));

const MIN_VERSION = '(3, 8)';

/** The path of the first interpreter that has all of these modules, undefined if none has. */
export function pythonWith(...modules: readonly string[]): string | undefined {
  const code = `import ${['sys', ...modules].join(', ')}; assert sys.version_info >= ${MIN_VERSION}; print(sys.executable)`;
  for (const candidate of ['python3', '/usr/bin/python3']) {
    const { status, stdout } = spawnSync(candidate, ['-c', code], { encoding: 'utf8' });
    if (status === 0) return path.resolve(stdout.trim());
  }
  return undefined;
}
