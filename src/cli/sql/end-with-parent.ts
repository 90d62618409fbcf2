// A thread that waits until the parent is gone, however it died, and then ends this process in the middle of its query.
import { readSync } from 'node:fs';

const STDIN = 0;

while (readSync(STDIN, Buffer.alloc(1)) > 0);
process.kill(process.pid, 'SIGKILL');
