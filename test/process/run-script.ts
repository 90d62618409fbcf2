// A script against the compiled library, as a process of its own that says one JSON object at its end.
import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import path from 'node:path';
import { tempDir } from '../events/temp-dir.ts';

export interface Said {
  lines: number;
  started: number;
  taken: number;
  /** When it had nothing more to do, and when the process had ended. */
  at: number;
  endedAt: number;
}

export async function runScriptProcess(source: string, args: readonly string[]): Promise<Said> {
  const script = path.join(tempDir(), 'script.mjs');
  fs.writeFileSync(script, source);
  const child = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (some: string) => (text += some));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject).on('close', resolve);
  });
  if (code !== 0) throw new Error(`ended with ${code}: ${text}`);
  return { ...(JSON.parse(text) as Omit<Said, 'endedAt'>), endedAt: Date.now() };
}
