// Loaded into a measured process before its own code: at its end it says what it has used.
import { readFileSync, writeFileSync } from 'node:fs';

process.on('exit', () => {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  const cpuSeconds = (userCPUTime + systemCPUTime) / 1e6;
  writeFileSync(
    process.env.RUNFOLD_BENCH_USAGE,
    JSON.stringify({ cpuSeconds, rssMb: (peakKb() ?? maxRSS) / 1024 }),
  );
});

/** A new process can inherit maxRSS from the one that started it; VmHWM is its own. */
function peakKb() {
  try {
    const found = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'));
    return found === null ? undefined : Number(found[1]);
  } catch {
    // not on Linux
    return undefined;
  }
}
