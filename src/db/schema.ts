// The tables, and nothing else. A new version is rebuilt from the ledger into a new file, never altered.
// Nothing newer than SQLite 3.26 (no STRICT, no generated columns): login nodes read it with their own.

/** "runf": tells the file apart from any other SQLite database. */
export const APPLICATION_ID = 0x72_75_6e_66;
export const SCHEMA_VERSION = 4;

/** The five tables and the report of rejected lines: what the law is about, and what `verify` compares. */
export const PUBLIC_TABLES = [
  'experiment_runs',
  'run_metrics',
  'run_results',
  'run_errors',
  'slurm_jobs',
  '_rejected',
] as const;
export type PublicTable = (typeof PUBLIC_TABLES)[number];

export const PRIMARY_KEYS: Record<PublicTable, readonly string[]> = {
  experiment_runs: ['run_id'],
  run_metrics: ['run_id', 'writer', 'seq'],
  run_results: ['run_id'],
  run_errors: ['run_id', 'writer', 'seq'],
  slurm_jobs: ['run_id', 'job_id', 'restart_count'],
  _rejected: ['file', 'offset'],
};

export const SCHEMA_SQL = `
CREATE TABLE experiment_runs (
  run_id TEXT PRIMARY KEY NOT NULL,
  experiment_number INTEGER NOT NULL,
  dataset TEXT NOT NULL,
  method TEXT NOT NULL,
  subject TEXT,
  cl_info TEXT,
  seed INTEGER,
  status TEXT NOT NULL CHECK (status IN ('pending', 'running', 'completed', 'failed', 'timeout')),
  status_reason TEXT,
  exit_code INTEGER,
  config TEXT NOT NULL,
  tags TEXT NOT NULL,
  notes TEXT,
  hidden INTEGER NOT NULL CHECK (hidden IN (0, 1)),
  slurm_job_id TEXT,
  slurm_array_task_id TEXT,
  host TEXT,
  user_name TEXT,
  git_commit TEXT,
  git_dirty INTEGER CHECK (git_dirty IN (0, 1)),
  command TEXT,
  cwd TEXT,
  attempt_count INTEGER NOT NULL CHECK (attempt_count > 0),
  created_at TEXT NOT NULL,
  started_at TEXT,
  finished_at TEXT
) WITHOUT ROWID;
-- x'' is no text and no number, so a NULL equals another NULL here and nothing else
CREATE UNIQUE INDEX experiment_runs_key ON experiment_runs (
  experiment_number, dataset, method, ifnull(subject, x''), ifnull(cl_info, x''), ifnull(seed, x'')
);

-- All that lists of runs are filtered by most often: a page of the newest is read from it alone, however many there are.
CREATE INDEX experiment_runs_newest ON experiment_runs (
  created_at DESC, run_id, hidden, status, experiment_number, dataset, method, subject, cl_info, seed
);

CREATE TABLE run_metrics (
  run_id TEXT NOT NULL,
  writer TEXT NOT NULL,
  seq INTEGER NOT NULL,
  ts TEXT NOT NULL,
  elapsed_seconds REAL NOT NULL,
  epoch INTEGER,
  step INTEGER,
  loss REAL,
  f1 REAL,
  fitness REAL,
  behavioral_comparison REAL,
  gpu_memory_mb REAL,
  extra TEXT,
  nonfinite TEXT,
  PRIMARY KEY (run_id, writer, seq)
) WITHOUT ROWID;
-- The points with a value that is not finite, few as they are: that a run has diverged is read from it alone.
CREATE INDEX run_metrics_nonfinite ON run_metrics (run_id, writer, seq, step, epoch, nonfinite)
WHERE nonfinite IS NOT NULL;

CREATE TABLE run_results (
  run_id TEXT PRIMARY KEY NOT NULL,
  best_loss REAL, best_loss_epoch INTEGER, final_loss REAL,
  best_f1 REAL, best_f1_epoch INTEGER, final_f1 REAL,
  best_fitness REAL, best_fitness_epoch INTEGER, final_fitness REAL,
  best_behavioral_comparison REAL, best_behavioral_comparison_epoch INTEGER, final_behavioral_comparison REAL,
  last_epoch INTEGER,
  total_elapsed_seconds REAL,
  peak_gpu_memory_mb REAL,
  points INTEGER NOT NULL,
  extra TEXT,
  results TEXT
) WITHOUT ROWID;

CREATE TABLE run_errors (
  run_id TEXT NOT NULL,
  writer TEXT NOT NULL,
  seq INTEGER NOT NULL,
  ts TEXT NOT NULL,
  attempt TEXT NOT NULL,
  exception_type TEXT NOT NULL,
  message TEXT NOT NULL,
  traceback TEXT,
  PRIMARY KEY (run_id, writer, seq)
);

CREATE TABLE slurm_jobs (
  run_id TEXT NOT NULL,
  job_id TEXT NOT NULL,
  array_job_id TEXT,
  array_task_id TEXT,
  restart_count INTEGER NOT NULL,
  attempt TEXT NOT NULL,
  state TEXT,
  reason TEXT,
  partition TEXT,
  account TEXT,
  node_list TEXT,
  cpus INTEGER,
  gpus INTEGER,
  memory_mb REAL,
  time_limit_seconds REAL,
  submitted_at TEXT,
  started_at TEXT,
  ended_at TEXT,
  exit_code INTEGER,
  signal INTEGER,
  max_rss_mb REAL,
  cpu_seconds REAL,
  stdout_path TEXT,
  stderr_path TEXT,
  PRIMARY KEY (run_id, job_id, restart_count)
) WITHOUT ROWID;

CREATE TABLE _rejected (
  file TEXT NOT NULL,
  offset INTEGER NOT NULL,
  length INTEGER NOT NULL,
  code TEXT NOT NULL,
  message TEXT NOT NULL,
  excerpt TEXT NOT NULL,
  PRIMARY KEY (file, offset)
) WITHOUT ROWID;

-- One row: which ledger this is a projection of, and when the projector did what.
CREATE TABLE _projection (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  ledger_id TEXT NOT NULL,
  ledger_path TEXT NOT NULL,
  last_pass_at TEXT,
  slow_sweep_due_at TEXT,
  trust TEXT NOT NULL DEFAULT 'all' CHECK (trust IN ('owner', 'group', 'all'))
);

-- Every event file ever seen, and how far it has been read.
CREATE TABLE _files (
  path TEXT PRIMARY KEY NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('live', 'quiet', 'complete', 'frozen', 'misplaced', 'missing', 'untrusted')),
  reason TEXT,
  kind TEXT CHECK (kind IN ('writer', 'hand_made')),
  writer TEXT,
  attempt TEXT,
  host TEXT,
  user_name TEXT,
  uid INTEGER,
  links INTEGER,
  offset INTEGER NOT NULL,
  scanned INTEGER NOT NULL,
  scanned_nul INTEGER NOT NULL,
  crc INTEGER NOT NULL,
  marker BLOB NOT NULL,
  holes_until INTEGER NOT NULL,
  size INTEGER NOT NULL,
  mtime_ms REAL NOT NULL,
  events INTEGER NOT NULL,
  repeats INTEGER NOT NULL,
  unknown INTEGER NOT NULL,
  after_close INTEGER NOT NULL,
  max_seq INTEGER NOT NULL,
  closed_seq INTEGER,
  last_ts TEXT,
  since TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX _files_writer ON _files (writer);
-- Those not at rest: few, however long the history is.
CREATE INDEX _files_active ON _files (path) WHERE state NOT IN ('complete', 'quiet');

-- Which seq a file holds, as stretches of consecutive lines; offset is where the first of them begins.
CREATE TABLE _stretches (
  path TEXT NOT NULL,
  unknown INTEGER NOT NULL,
  first INTEGER NOT NULL,
  last INTEGER NOT NULL,
  offset INTEGER NOT NULL,
  PRIMARY KEY (path, unknown, first)
) WITHOUT ROWID;

-- Lines with NUL bytes that were given up; sweeps look whether they have filled.
CREATE TABLE _holes (
  path TEXT NOT NULL,
  offset INTEGER NOT NULL,
  length INTEGER NOT NULL,
  PRIMARY KEY (path, offset)
) WITHOUT ROWID;

-- The events from which the small tables are recomputed.
CREATE TABLE _events (
  run_id TEXT NOT NULL,
  writer TEXT NOT NULL,
  seq INTEGER NOT NULL,
  type TEXT NOT NULL,
  attempt TEXT NOT NULL,
  ts TEXT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (run_id, writer, seq)
);

CREATE TABLE _samples (
  run_id TEXT NOT NULL,
  writer TEXT NOT NULL,
  seq INTEGER NOT NULL,
  ts TEXT NOT NULL,
  attempt TEXT NOT NULL,
  elapsed_seconds REAL NOT NULL,
  cpu_percent REAL,
  rss_mb REAL,
  gpu_percent REAL,
  gpu_memory_mb REAL,
  PRIMARY KEY (run_id, writer, seq)
) WITHOUT ROWID;

-- A run's attempts in order, as the fold sees them; position 0 is the first.
CREATE TABLE _attempts (
  run_id TEXT NOT NULL,
  position INTEGER NOT NULL,
  attempt TEXT NOT NULL,
  resume INTEGER NOT NULL,
  in_view INTEGER NOT NULL,
  created_at TEXT NOT NULL,
  status TEXT NOT NULL,
  status_reason TEXT,
  exit_code INTEGER,
  started_at TEXT,
  finished_at TEXT,
  config TEXT NOT NULL,
  PRIMARY KEY (run_id, position)
) WITHOUT ROWID;

-- The points of one attempt by one writer, summed up: a point is in the view if it is below both cuts.
CREATE TABLE _series (
  run_id TEXT NOT NULL,
  writer TEXT NOT NULL,
  attempt TEXT NOT NULL,
  is_default INTEGER NOT NULL,
  min_step INTEGER,
  min_epoch INTEGER,
  cut_step INTEGER,
  cut_epoch INTEGER,
  summary TEXT NOT NULL,
  PRIMARY KEY (run_id, writer, attempt)
) WITHOUT ROWID;

-- Long series in blocks of consecutive points: where each metric is lowest, highest and first not finite.
CREATE TABLE _digests (
  run_id TEXT NOT NULL,
  writer TEXT NOT NULL,
  block INTEGER NOT NULL,
  first_seq INTEGER NOT NULL,
  last_seq INTEGER NOT NULL,
  points INTEGER NOT NULL,
  steps INTEGER NOT NULL,
  min_step INTEGER,
  max_step INTEGER,
  epochs INTEGER NOT NULL,
  min_epoch INTEGER,
  max_epoch INTEGER,
  extremes TEXT NOT NULL,
  PRIMARY KEY (run_id, writer, block)
) WITHOUT ROWID;

-- Points whose attempt is not the default series of their run and writer.
CREATE TABLE _point_attempts (
  run_id TEXT NOT NULL,
  writer TEXT NOT NULL,
  seq INTEGER NOT NULL,
  attempt TEXT NOT NULL,
  PRIMARY KEY (run_id, writer, seq)
) WITHOUT ROWID;
`;
