// The same lines into one table by DuckDB, which reads NDJSON in C++ and writes columns.
import { DuckDBInstance } from '@duckdb/node-api';
import { partArguments } from '../lib.mjs';

const { ledger, db: file, threads } = partArguments();
const startedAt = performance.now();
const startedCpu = process.cpuUsage();
const instance = await DuckDBInstance.create(file, threads === undefined ? {} : { threads: String(threads) });
const connection = await instance.connect();
await connection.run(`
  CREATE TABLE run_metrics AS
  SELECT run_id, regexp_extract(filename, '([0-9A-Z]{26})-[^/]*$', 1) AS writer, seq, ts, elapsed_seconds, epoch, step,
    loss, f1, fitness, behavioral_comparison, gpu_memory_mb, extra
  FROM read_ndjson('${ledger.replaceAll("'", "''")}/events/*/*.ndjson', filename = true, columns = {
    type: 'VARCHAR', run_id: 'VARCHAR', seq: 'BIGINT', ts: 'VARCHAR', elapsed_seconds: 'DOUBLE', epoch: 'BIGINT',
    step: 'BIGINT', loss: 'DOUBLE', f1: 'DOUBLE', fitness: 'DOUBLE', behavioral_comparison: 'DOUBLE',
    gpu_memory_mb: 'DOUBLE', extra: 'JSON' })
  WHERE type = 'metric'`);
await connection.run('CHECKPOINT');
const seconds = (performance.now() - startedAt) / 1000;
const { user, system } = process.cpuUsage(startedCpu);

const answer = await connection.runAndReadAll(
  `SELECT count(*)::INTEGER, count(DISTINCT writer)::INTEGER, sum(seq)::DOUBLE, sum(loss),
     current_setting('threads')::INTEGER FROM run_metrics`,
);
const [[points, writers, seqs, loss, usedThreads]] = answer.getRows();
connection.closeSync();
instance.closeSync();
const content = { points, writers, seqs, loss };
console.log(JSON.stringify({ seconds, cpuSeconds: (user + system) / 1e6, content, usedThreads }));
