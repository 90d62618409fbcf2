// A real NFS server and several real NFS clients on this machine, each a kernel of its own.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { builtDir } from '../helpers/built.ts';
import { ROOT } from '../helpers/documents.ts';
import { cleanEnv, Started, type Ended } from '../process/cli-process.ts';
import { until } from '../process/until.ts';

const SCRIPT = fileURLToPath(new URL('../../../shared/labs/nfs/nfs-lab.sh', import.meta.url));
const NEEDED = ['linux.uml', 'rpc.nfsd', 'mount.nfs', 'socat', 'ip', 'mkfs.ext4'];
const WITH_SBIN = { ...process.env, PATH: `/usr/sbin:/sbin:${process.env['PATH'] ?? ''}` };
/** A node is several times slower than this machine, and this machine has more to do. */
export const PATIENCE_MS = 180_000;

export type Node = 'n1' | 'n2' | 'login' | 'server';

/**
 * RUNFOLD_NFS=short leaves out what takes minutes: a server that comes back gives its clients a minute and a half to
 * claim what they had, and one without power is waited for.
 */
export const IS_SHORT = process.env['RUNFOLD_NFS'] === 'short';

/** Why there can be no lab here, undefined where there can. */
export function whyNoLab(): string | undefined {
  if (!process.env['RUNFOLD_NFS']) return 'they take minutes, and are run by: npm run test:nfs';
  if (!fs.existsSync(SCRIPT)) return 'the script that starts servers and clients is not there';
  if (process.getuid?.() !== 0) return 'only root can start them';
  if (!fs.existsSync('/dev/net/tun')) return 'there is no /dev/net/tun';
  const missing = NEEDED.filter(
    (name) => spawnSync('sh', ['-c', `command -v ${name}`], { env: WITH_SBIN }).status !== 0,
  );
  return missing.length === 0 ? undefined : `not installed: ${missing.join(', ')}`;
}

/**
 * Takes the lab of `NFS_LAB_DIR` down when its stdin ends: with the process that has the other end, however it dies.
 * Arguments of sh.
 */
export function guardOf(script: string): string[] {
  return ['-c', 'cat >/dev/null; "$0" down; rm -rf -- "$NFS_LAB_DIR"', script];
}

export class Lab {
  readonly #script: string;
  readonly #parent: string;
  #started: { folder: string; end: () => Promise<unknown> } | undefined;

  /** @param parent where the folder of the lab will be */
  constructor(script = SCRIPT, parent = '/var/tmp') {
    this.#script = script;
    this.#parent = parent;
  }

  /** `/lab` on the nodes: it is a folder of this machine, and survives whatever happens to them. */
  get folder(): string {
    if (this.#started === undefined) throw new Error('the lab was not started');
    return this.#started.folder;
  }

  /** @throws if it does not come up. */
  async start(): Promise<void> {
    const folder = fs.mkdtempSync(path.join(this.#parent, 'runfold-nfs-'));
    // of a session of its own: Ctrl-C ends this process alone
    const guard = spawn('sh', guardOf(this.#script), {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
      env: { ...WITH_SBIN, NFS_LAB_DIR: folder },
    });
    const ended = once(guard, 'exit');
    this.#started = {
      folder,
      end: async () => {
        guard.stdin.end();
        await ended;
      },
    };
    await this.#must('up');
  }

  async stop(): Promise<void> {
    await this.#started?.end();
  }

  /** `off` is a power cut, `hang` stops the node's kernel, `unplug` takes its network cable out. */
  async does(what: 'off' | 'on' | 'hang' | 'resume' | 'unplug' | 'plug', node: Node): Promise<void> {
    await this.#must(what, node);
  }

  /** A shell command that goes on; what it prints, on stderr too, is its stdout. */
  begin(node: Node, command: string): Started {
    const started = this.#lab(['exec', node, command]);
    started.child.stdin?.end();
    return started;
  }

  async run(node: Node, command: string): Promise<Ended> {
    return await this.begin(node, command).ended;
  }

  /** @throws with what it printed if it fails. */
  async output(node: Node, command: string): Promise<string> {
    const { code, stdout } = await this.run(node, command);
    if (code !== 0) throw new Error(`${command} on ${node} ended with ${code}: ${stdout}`);
    return stdout;
  }

  write(name: string, content: string): void {
    fs.writeFileSync(path.join(this.folder, name), content);
  }

  has(name: string): boolean {
    return fs.existsSync(path.join(this.folder, name));
  }

  read(name: string): string {
    return this.has(name) ? fs.readFileSync(path.join(this.folder, name), 'utf8') : '';
  }

  #lab(args: readonly string[]): Started {
    const env = { ...cleanEnv(WITH_SBIN as Record<string, string>), NFS_LAB_DIR: this.folder };
    return new Started(spawn(this.#script, args, { env, cwd: '/' }));
  }

  async #must(...args: string[]): Promise<void> {
    const started = this.#lab(args);
    started.child.stdin?.end();
    const { code, stdout, stderr } = await started.ended;
    if (code !== 0) throw new Error(`${args.join(' ')} failed: ${stdout}${stderr}`);
  }
}

/** `runfold` on the nodes. */
export const RUNFOLD = `${process.execPath} ${path.join(builtDir(), 'cli/main.js')}`;
export const CLIENTS = path.join(ROOT, 'clients');

/** Waits longer than elsewhere. */
export async function eventually<T>(
  what: string,
  look: () => T | Promise<T>,
): Promise<NonNullable<Exclude<T, false>>> {
  return await until(what, look, PATIENCE_MS);
}
