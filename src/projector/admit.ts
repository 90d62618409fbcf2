// Whether a parsed line of a file counts: the header, the file's name, seq. Pure; the file's past is asked for.
import type { Event, EventOf } from '../events/event.ts';
import { eventFilePath, handMadeWriter, isNamedLikeUlid } from '../events/layout.ts';
import { rejected, type ParsedLine, type Rejected } from '../events/parse.ts';
import { isTampered, type FileState } from './file-state.ts';

/** Whether an earlier valid line of the file has the seq, and if so whether its bytes are the same. */
export type Seen = 'new' | 'equal' | 'different';

/** The other well placed file whose header names a writer. */
export type Claimant = (writer: string) => Pick<FileState, 'path' | 'state' | 'reason'> | undefined;

export type Verdict =
  | typeof APPLY
  | { kind: 'header'; event: EventOf<'writer_opened'>; displaces: string | undefined }
  | { kind: 'repeat'; ts: string }
  | { kind: 'unknown'; seq: number | null }
  | { kind: 'stop'; code: 'second_header' | 'other_format'; message: string }
  /** `rival` is the writer whose file another one is. */
  | { kind: 'misplaced'; reason: string; rival: string | null }
  | Rejected;

/** Nearly every line: one object for all of them. */
const APPLY = { kind: 'apply' } as const;

/** Looks at one line, whose seq is `seen`; the file is as the lines before it left it. */
export function admit(file: FileState, line: ParsedLine, seen: Seen, claimant: Claimant): Verdict {
  switch (line.kind) {
    case 'rejected':
      return line;
    case 'unknown':
      return { kind: 'unknown', seq: file.kind === 'writer' ? line.seq : null };
    case 'other_format':
      return { kind: 'stop', code: 'other_format', message: `a header of format ${line.format}` };
    case 'event':
      return admitEvent(file, line.event, seen, claimant);
  }
}

function admitEvent(file: FileState, event: Event, seen: Seen, claimant: Claimant): Verdict {
  if (file.kind === null) {
    if (event.type === 'writer_opened') return admitHeader(file, event, claimant);
    if (isNamedLikeUlid(nameOf(file.path))) {
      return rejected('no_header', `a ${event.type} where the file’s writer_opened belongs`);
    }
  }
  return file.kind === 'writer' ? admitNumbered(event, seen) : admitHandMade(event);
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function admitHeader(file: FileState, event: EventOf<'writer_opened'>, claimant: Claimant): Verdict {
  if (event.seq !== 1) return rejected('missing_seq', 'the header of a file has seq 1');
  const belongs = eventFilePath(event.writer, event.origin);
  if (file.path !== belongs) return { kind: 'misplaced', reason: `belongs at ${belongs}`, rival: null };
  const other = claimant(event.writer);
  if (other === undefined) return { kind: 'header', event, displaces: undefined };
  // rows whose file is gone or tampered with are not given up for another file's
  const yields = other.path > file.path && other.state !== 'missing' && !isTampered(other);
  if (yields) return { kind: 'header', event, displaces: other.path };
  return { kind: 'misplaced', reason: `${other.path} is this writer’s file`, rival: event.writer };
}

function admitHandMade(event: Event): Verdict {
  if (event.type === 'writer_opened') return secondHeader();
  if (event.type === 'writer_closed') {
    return rejected('writer_closed_mismatch', 'a file without a header has no writer to close');
  }
  return APPLY;
}

function admitNumbered(event: Event, seen: Seen): Verdict {
  const { seq } = event;
  if (seq === undefined || seq === null) {
    if (event.type === 'writer_opened') return secondHeader();
    return rejected('missing_seq', `a ${event.type} without seq`);
  }
  if (seen === 'equal') return { kind: 'repeat', ts: event.ts };
  if (event.type === 'writer_opened') return secondHeader();
  if (seen === 'different') {
    return rejected('seq_conflict', `an earlier line has seq ${seq} and other content`);
  }
  if (event.type === 'writer_closed' && event.events !== seq - 1) {
    return rejected('writer_closed_mismatch', `events is ${event.events}, seq is ${seq}`);
  }
  return APPLY;
}

function secondHeader(): Verdict {
  return { kind: 'stop', code: 'second_header', message: 'a writer_opened after the first valid line' };
}

/** The file as its first valid line makes it. */
export function opened(file: FileState, event: EventOf<'writer_opened'>): FileState {
  const { writer, host, user } = event;
  return { ...file, kind: 'writer', writer, attempt: event.attempt ?? writer, host, user };
}

export function openedByHand(file: FileState): FileState {
  const writer = handMadeWriter(file.path);
  return { ...file, kind: 'hand_made', writer, attempt: writer };
}
