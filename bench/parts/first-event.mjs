// A program that logs one event and ends, for the time of that; imports nothing else.
const [, , logger, ledger, wants] = process.argv;
const from = performance.now();
const { RunLogger } = await import(logger);
const imported = performance.now();
const run = RunLogger.create({ ledger, method: 'first-event' });
run.log({ loss: 1 }, { step: 0 });
run.flush();
const flushed = performance.now();
if (wants === 'times') console.log(JSON.stringify({ import: imported - from, event: flushed - imported }));
if (wants === 'libraries') console.log(JSON.stringify(process.report.getReport().sharedObjects));
