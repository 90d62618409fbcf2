// What the process that runs a query says to the one that prints it: JSON, one message a line.

/** Blobs are hexadecimal text, and numbers that JSON cannot say are text too: integers beyond 2^53, infinity. */
export type SqlValue = string | number | null;

/** First the columns, then the rows, then `done`; `failed` may come at any time and is the last. */
export type Message =
  | { kind: 'columns'; names: string[] }
  | { kind: 'rows'; rows: SqlValue[][] }
  | { kind: 'done' }
  | Failure;

export interface Failure {
  kind: 'failed';
  /** Whether the query is wrong, or went wrong while it ran. */
  code: 'usage' | 'query_failed';
  message: string;
}

/** What the process is told, on the first line of its stdin. */
export interface Request {
  file: string;
  query: string;
}
