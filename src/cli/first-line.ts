// What a child process is asked, on its standard input, which stays open as long as its parent lives.

/** The bytes up to the first LF. Not by way of process.stdin: that would go on reading what somebody else is to see. */
export function firstLine(read: (into: Buffer) => number): string {
  const bytes: Buffer[] = [];
  const buffer = Buffer.alloc(65_536);
  for (;;) {
    const count = read(buffer);
    bytes.push(Buffer.from(buffer.subarray(0, count)));
    if (count === 0 || buffer.subarray(0, count).includes('\n')) return Buffer.concat(bytes).toString('utf8');
  }
}
