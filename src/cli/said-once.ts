// Trouble that lasts is said once, and that it is over once.

/** Tells only what differs from what was told last; at first nothing is wrong, which is undefined. */
export function saidOnce(tell: (trouble: string | undefined) => void): (trouble: string | undefined) => void {
  let last: string | undefined;
  return (trouble) => {
    if (trouble !== last) tell(trouble);
    last = trouble;
  };
}
