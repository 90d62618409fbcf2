// Curves on stdout, and on stderr what the picture does not show.
import type { Curve, Curves } from '../query/curves.ts';
import { columnsOf, chart, mark } from './chart/chart.ts';
import { isShown } from './chart/scale.ts';
import type { PictureFlags } from './curves.ts';
import { isColoured, widthOf } from './format/print.ts';
import { count } from './human.ts';
import { say, type CliIo } from './io.ts';
import { printSafe } from './print-safe.ts';

const WIDTH = 80;
const HEIGHT = 15;
/** Names in a message for people. */
const NAME_LENGTH = 60;

const X_NAMES = { step: 'step', epoch: 'epoch', elapsed: 'seconds' } as const;

export interface Picture {
  title: string;
  /** Undefined: each curve is of the metric that its label names. */
  metric?: string;
  curves: Curves;
  labels: readonly string[];
}

/** In how many places the picture can tell points apart. */
export function binsOf(flags: PictureFlags, io: CliIo): number {
  return columnsOf(pictureWidth(flags, io));
}

/** Draws nothing if there is nothing that can be drawn; what is left out is told in any case. */
export function showPicture(picture: Picture, flags: PictureFlags, io: CliIo): void {
  const { title, metric, curves, labels } = picture;
  const { log = false, logX = false, smooth = 0, height = HEIGHT } = flags;
  const isMean = curves.curves.some(({ runs }) => runs > 1);
  const shown = curves.curves.map(({ runs, points }, index) => {
    const visible = points.filter(({ mean }) => isShown(mean, log));
    const label = labels[index] ?? '';
    return { label: isMean ? labelOf(label, index, runs, visible) : label, runs, points: visible };
  });
  if (shown.some(({ points }) => points.length > 0)) {
    const how = [log ? 'logarithmic' : '', smooth > 0 ? `smoothed ${smooth}` : ''].filter(
      (word) => word !== '',
    );
    const lines = chart(
      [title, ...how].join(', '),
      `${X_NAMES[curves.x]}${logX ? ' (logarithmic)' : ''}`,
      shown,
      { width: pictureWidth(flags, io), height, log, logX, isColoured: isColoured(io) },
    );
    io.stdout.write(`${lines.join('\n')}\n`);
  } else say(io.stderr, `nothing can be drawn of ${named(metric ?? labels.join(', '))}`);
  explain(picture, log, io);
}

function pictureWidth({ width }: PictureFlags, { stdout }: CliIo): number {
  return width ?? widthOf(stdout) ?? WIDTH;
}

/** A mean of fewer runs must not pass for one of all. */
function labelOf(label: string, index: number, runs: number, points: Curve['points']): string {
  const least = Math.min(...points.map(({ n }) => n));
  const fewer = least < runs ? `; ${mark(index, true)} where it is of fewer, down to ${least}` : '';
  return `${label} (${count(runs, 'run')}${fewer})`;
}

/** What was left out of the means, for people. */
export function explain({ metric, curves, labels }: Picture, log: boolean, io: CliIo): void {
  const x = X_NAMES[curves.x];
  for (const [index, curve] of curves.curves.entries())
    tellDivergence(curve, labels[index] ?? '', metric, x, io);
  const below = curves.curves.flatMap(({ points }) => points.filter(({ mean }) => !isShown(mean, log)));
  if (below.length > 0) {
    say(io.stderr, `left out: ${count(below.length, 'value')} at or below 0, which have no logarithm`);
  }
  if (curves.notPositive > 0) {
    say(
      io.stderr,
      `left out: ${count(curves.notPositive, 'point')} at ${x} 0 or below, which have no logarithm`,
    );
  }
  if (curves.unplaced > 0) say(io.stderr, `left out: ${count(curves.unplaced, 'point')} without ${x}`);
}

function tellDivergence(
  { runs, diverged }: Curve,
  label: string,
  metric: string | undefined,
  x: string,
  io: CliIo,
): void {
  const [first] = diverged.toSorted((a, b) => a.x - b.x);
  if (first === undefined) return;
  const at = `${named(metric ?? label)} is ${first.value} ${first.lasting ? 'from' : 'at'} ${x} ${first.x}`;
  const who = runs === 1 ? '' : `${named(label)}, ${diverged.length} of ${count(runs, 'run')}: `;
  const more = diverged.length > 1 ? `, in the first of them (${first.run_id})` : ` (${first.run_id})`;
  say(io.stderr, `${who}${at}${more}; values that are not finite are left out`);
}

/** A name in a message. */
export function named(name: string): string {
  return printSafe(name.length > NAME_LENGTH ? `${name.slice(0, NAME_LENGTH)}…` : name);
}
