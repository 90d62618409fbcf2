// Child processes of the soak: each is ended by it, and no other.
import { spawn } from 'node:child_process';

export class Processes {
  #children = new Set();
  isEnding = false;

  /** Its stderr is kept for whoever asks. */
  start(command, args, options = {}) {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
    child.said = '';
    child.printed = '';
    child.stderr.setEncoding('utf8').on('data', (text) => (child.said = (child.said + text).slice(-4000)));
    child.stdout
      .setEncoding('utf8')
      .on('data', (text) => (child.printed = (child.printed + text).slice(-4000)));
    child.hasEnded = false;
    child.ended = new Promise((resolve) => {
      child.on('error', (error) => (child.said += error.message));
      child.on('close', (code, signal) => {
        child.hasEnded = true;
        this.#children.delete(child);
        resolve({ code, signal });
      });
    });
    this.#children.add(child);
    return child;
  }

  /** SIGTERM, and SIGKILL for those that have not ended after a while. */
  async endAll(patienceMs = 20_000) {
    this.isEnding = true;
    const children = [...this.#children];
    for (const child of children) {
      child.kill('SIGCONT');
      child.kill('SIGTERM');
    }
    const all = Promise.all(children.map((child) => child.ended));
    let timer;
    const patience = new Promise((resolve) => (timer = setTimeout(resolve, patienceMs)));
    await Promise.race([all, patience]);
    clearTimeout(timer);
    this.killAll();
    await all;
  }

  killAll() {
    for (const child of this.#children) child.kill('SIGKILL');
  }
}
