// The log of the soak: on a mount that can be taken away where root may mount, else in a folder that is renamed.
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

export class SoakPlace {
  awaySince;
  backSince;
  #away;

  constructor(parent = os.tmpdir()) {
    this.dir = fs.mkdtempSync(path.join(parent, 'runfold-soak-'));
    this.store = this.#folder('store');
    this.mount = this.#folder('mount');
    this.databases = this.#folder('db');
    this.spool = this.#folder('tmp');
    this.ledger = path.join(this.mount, 'log');
    this.isMounted = this.#bind();
    if (!this.isMounted) this.store = this.mount;
  }

  #folder(name) {
    const folder = path.join(this.dir, name);
    fs.mkdirSync(folder, { mode: 0o700 });
    return folder;
  }

  #bind() {
    return spawnSync('mount', ['--bind', this.store, this.mount]).status === 0;
  }

  /** Unmounted, or renamed; who has a file open may go on writing to it. */
  takeAway(random) {
    this.#away = this.isMounted && random.next() < 0.7 ? 'unmounted' : 'renamed';
    if (this.#away === 'unmounted') spawnSync('umount', ['-l', this.mount]);
    else fs.renameSync(this.ledger, `${this.ledger}-away`);
    this.awaySince = Date.now();
    return this.#away;
  }

  bringBack() {
    if (this.#away === undefined) return;
    if (this.#away === 'unmounted') {
      if (!this.#bind()) throw new Error(`${this.mount} cannot be mounted again`);
    } else {
      // a program may have made a folder in its place
      if (fs.existsSync(this.ledger)) fs.renameSync(this.ledger, `${this.ledger}-made-${Date.now()}`);
      fs.renameSync(`${this.ledger}-away`, this.ledger);
    }
    this.#away = undefined;
    this.awaySince = undefined;
    this.backSince = Date.now();
  }

  remove() {
    this.bringBack();
    if (this.isMounted) spawnSync('umount', ['-l', this.mount]);
    // never through a mount that is still there
    fs.rmSync(this.dir, { recursive: true, force: true, maxRetries: 5 });
  }
}
