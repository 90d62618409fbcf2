// What another program reads in an exported file: an independent reader of Parquet, CSV and NDJSON.
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';

export class Duck {
  readonly #connection: DuckDBConnection;

  private constructor(connection: DuckDBConnection) {
    this.#connection = connection;
  }

  static async start(): Promise<Duck> {
    const instance = await DuckDBInstance.create(':memory:');
    return new Duck(await instance.connect());
  }

  async rows(query: string): Promise<unknown[][]> {
    const result = await this.#connection.runAndReadAll(query);
    return result.getRowsJS() as unknown[][];
  }

  async types(query: string): Promise<Record<string, unknown>> {
    const described = await this.rows(`DESCRIBE ${query}`);
    return Object.fromEntries(described.map(([name, type]) => [name, type]));
  }
}

export function parquet(file: string): string {
  return `SELECT * FROM read_parquet('${file}')`;
}

/** All columns as text: what stands in the file, and NULL only where nothing stands. */
export function csv(file: string): string {
  return `SELECT * FROM read_csv('${file}', header = true, all_varchar = true, allow_quoted_nulls = false, delim = ',', quote = '"', escape = '"', max_line_size = 10000000)`;
}

/** Each line as JSON text. */
export function lines(file: string): string {
  return `SELECT json FROM read_json_objects('${file}', format = 'newline_delimited')`;
}
