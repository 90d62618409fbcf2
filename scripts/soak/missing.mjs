// Lines that an fsync had returned for, and that a database has not.
import Database from 'better-sqlite3';
import * as fs from 'node:fs';

function wordsOfLines(file) {
  if (!fs.existsSync(file)) return [];
  const lines = fs.readFileSync(file, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => line.split(' '));
}

/** A line of a crowd is a point, an event, or the beginning or end of a file, which is no row but is counted. */
function finderOf(db) {
  const find = (sql) => db.prepare(`SELECT 1 FROM ${sql}`).pluck();
  const point = find('run_metrics WHERE run_id = ? AND writer = ? AND seq = ?');
  const event = find('_events WHERE run_id = ? AND writer = ? AND seq = ?');
  const line = find(
    '_files JOIN _stretches USING (path) WHERE writer = ? AND _stretches.unknown = 0 AND first <= ? AND last >= ?',
  );
  return ([run, writer, seq, type]) => {
    const number = Number(seq);
    if (type === 'metric') return point.get(run, writer, number) !== undefined;
    if (type.startsWith('writer_')) return line.get(writer, number, number) !== undefined;
    return event.get(run, writer, number) !== undefined;
  };
}

/** @param acknowledged the files in which crowds and clients have noted their lines */
export function missingIn(database, acknowledged) {
  const db = new Database(database, { readonly: true });
  const isThere = finderOf(db);
  const byStep = db.prepare('SELECT 1 FROM run_metrics WHERE run_id = ? AND step = ?').pluck();
  const crowd = wordsOfLines(acknowledged.crowd);
  const real = wordsOfLines(acknowledged.clients);
  const missing = [
    ...crowd.filter((words) => !isThere(words)),
    ...real.filter(([run, step]) => byStep.get(run, Number(step)) === undefined),
  ];
  const points = Number(db.prepare('SELECT count(*) FROM run_metrics').pluck().get());
  const states = db.prepare('SELECT state, count(*) FROM _files GROUP BY state').raw().all();
  db.close();
  return { missing, crowd: crowd.length, real: real.length, points, files: Object.fromEntries(states) };
}
