// Values from events go into the command line of somebody's shell: none may mean anything there.

/** Letters and digits of any script, and the few signs that are nothing but themselves in every shell. */
const PLAIN = /^[\p{L}\p{N}@_][\p{L}\p{N}@_./:+-]*$/u;

/** Whether a shell takes the value as it stands. All others are left out: nobody needs the completion of `$(…)`. */
export function isPlain(value: string): boolean {
  return PLAIN.test(value);
}
