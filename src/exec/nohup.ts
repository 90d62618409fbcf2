// nohup in front of exec: Node forgets at its start that SIGHUP was ignored, so that the command has to be told again.
import path from 'node:path';
import type { Env } from '../events/env.ts';

/** The path of the nohup that has started this process, as bash and zsh say in `_`; undefined if none has. */
export function nohupOf(env: Env): string | undefined {
  const starter = env['_'];
  return starter !== undefined && path.basename(starter) === 'nohup' ? starter : undefined;
}
