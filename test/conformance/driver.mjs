// Runs a case on stdin with the compiled RunLogger, whose module is the first argument.
import { readFileSync } from 'node:fs';

const { RunLogger } = await import(process.argv[2]);
const numbers = (_, value) =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, '$number')
    ? Number(value.$number)
    : value;
const given = JSON.parse(readFileSync(0, 'utf8'), numbers);

let run;
for (const call of given.calls) {
  switch (call.call) {
    case 'init': {
      const { key_from_config: keyFromConfig, ...options } = call.options;
      const surroundings = given.script === undefined ? {} : { argv: ['node', given.script] };
      run = RunLogger.create({ ...options, keyFromConfig }, surroundings);
      break;
    }
    case 'log':
      run.log(call.metrics, { epoch: call.epoch, step: call.step });
      break;
    case 'log_error':
      run.logError({ name: call.exception_type, message: call.message, stack: call.traceback });
      break;
    case 'log_results':
      run.logResults(call.results);
      break;
    case 'log_sample':
      run.logSample(call);
      break;
    case 'set_status':
      run.setStatus(call.status, { exitCode: call.exit_code, reason: call.reason });
      break;
    case 'finish':
      await run.close({
        status: call.status,
        exitCode: call.exit_code,
        reason: call.reason,
        results: call.results,
      });
      break;
    default:
      throw new Error(`there is no call ${call.call}`);
  }
}
