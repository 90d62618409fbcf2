// What `runfold exec` and its recorder process say to each other.
import type { Env } from '../events/env.ts';
import type { Note } from './note.ts';
import type { RecorderFacts } from './recorder.ts';

export type ToRecorder =
  /** With what is to be changed in the environment. */
  { kind: 'open'; facts: RecorderFacts; env: Env } | { kind: 'note'; number: number; note: Note };

export type FromRecorder =
  /** It has started, and is about to make its first call to the storage when it is told to. */
  | { kind: 'up' }
  /** The log was found, or where it would be. */
  | { kind: 'opened'; ledger: string }
  /** Written, as far as that could be; notes are taken one after the other. */
  | { kind: 'taken'; number: number }
  /** All notes up to this one are on the disk of the log. */
  | { kind: 'durable'; number: number }
  /** A line for people. */
  | { kind: 'say'; line: string };
