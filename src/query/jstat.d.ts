// jstat comes without types: what is used of it.
declare module 'jstat' {
  const jStat: {
    /** The regularized incomplete beta function. */
    ibeta(x: number, a: number, b: number): number;
    studentt: {
      /** The quantile of Student's t. */
      inv(p: number, df: number): number;
    };
  };
  export default jStat;
}
