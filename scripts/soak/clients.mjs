// Short runs of the three clients, as real processes. Each notes what is on the disk as `<run_id> <step>`.
import * as fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { builtFile } from './lib.mjs';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

const TYPESCRIPT = `
import * as fs from 'node:fs';
import { RunLogger } from '${pathToFileURL(builtFile('logger.js')).href}';
import { openWriter } from '${pathToFileURL(builtFile('events/writers.js')).href}';
const [seed, points, acknowledged] = process.argv.slice(2);
const run = RunLogger.create({ dataset: 'soak', method: 'typescript', seed: Number(seed) });
for (let step = 1; step <= Number(points); step += 1) {
  run.log({ loss: 1 / step }, { step });
  run.flush();
  const { isFailing, spooled } = openWriter().status;
  if (!isFailing && spooled === 0) fs.appendFileSync(acknowledged, \`\${run.runId} \${step}\\n\`);
  await new Promise((resolve) => setTimeout(resolve, 500));
}
await run.close();
`;

const PYTHON = `
import sys, time
sys.path.insert(0, ${JSON.stringify(path.join(ROOT, 'clients/python'))})
import runfold
seed, points, acknowledged = sys.argv[1:]
run = runfold.init(dataset="soak", method="python", seed=int(seed))
for step in range(1, int(points) + 1):
    run.log({"loss": 1 / step}, step=step)
    if run.flush():
        with open(acknowledged, "a") as file:
            file.write("%s %d\\n" % (run.run_id, step))
    time.sleep(0.5)
run.finish()
`;

const SHELL = `
. ${path.join(ROOT, 'clients/shell/runfold.sh')}
runfold_open --dataset soak --method shell --seed "$1"
step=1
while [ "$step" -le "$2" ]; do
  runfold_metric --step "$step" --loss 0.5
  # empty: nothing waits, in memory or in the spool
  [ -n "$_runfold_waiting$_runfold_spool" ] || printf '%s %s\\n' "$RUNFOLD_RUN_ID" "$step" >>"$3"
  sleep 0.5
  step=$((step + 1))
done
runfold_close
`;

/** Writes the programs; gives for each client the command line of a run. */
export function writeClients(directory) {
  const write = (name, text) => {
    const file = path.join(directory, name);
    fs.writeFileSync(file, text);
    return file;
  };
  const script = write('client.mjs', TYPESCRIPT);
  const python = write('client.py', PYTHON);
  const shell = write('client.sh', SHELL);
  return {
    typescript: [process.execPath, script],
    python: ['python3', python],
    shell: ['sh', shell],
  };
}
