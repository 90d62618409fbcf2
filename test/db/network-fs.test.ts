import { expect, test } from 'vitest';
import { networkFileSystem } from '../../src/db/network-fs.ts';
import { tempDir } from '../events/temp-dir.ts';

/** From linux/magic.h and the sources of those that are not in it. */
const NETWORK: readonly [name: RegExp, magic: number][] = [
  [/NFS/, 0x6969], [/SMB/, 0x517b], [/CIFS/, 0xff534d42], [/SMB2/, 0xfe534d42], [/Lustre/, 0x0bd00bd0],
  [/GPFS/, 0x47504653], [/BeeGFS/, 0x19830326], [/Ceph/, 0x00c36400], [/AFS/, 0x5346414f], [/AFS/, 0x6b414653],
  [/9p/, 0x01021997], [/PanFS/, 0xaad7aaea], [/OrangeFS/, 0x20030528], [/GFS2/, 0x01161970], [/OCFS2/, 0x7461636f],
  [/Coda/, 0x73757245], [/NCP/, 0x564c], [/FUSE/, 0x65735546],
]; // prettier-ignore

const LOCAL: readonly [name: string, magic: number][] = [
  ['ext4', 0xef53], ['xfs', 0x58465342], ['btrfs', 0x9123683e], ['tmpfs', 0x01021994], ['overlay', 0x794c7630],
  ['zfs', 0x2fc12fc1], ['f2fs', 0xf2f52010], ['bcachefs', 0xca451a4e],
]; // prettier-ignore

const WORD = 2n ** 32n;
const LONG = 2n ** 64n;

test.each(NETWORK)('%s is a network file system, however wide its magic comes', (name, magic) => {
  const plain = BigInt(magic);
  // sign-extended by a kernel or a C library: as a negative number, or as one of 64 bits
  const forms: (number | bigint)[] = [magic, plain, plain - WORD, plain - WORD + LONG, magic - 2 ** 32];
  for (const type of forms)
    expect(
      networkFileSystem('/x', () => ({ type })),
      String(type),
    ).toMatch(name);
});

test.each(LOCAL)('%s is local', (_, magic) => {
  const plain = BigInt(magic);
  for (const type of [magic, plain, plain - WORD, plain - WORD + LONG]) {
    expect(
      networkFileSystem('/x', () => ({ type })),
      String(type),
    ).toBeUndefined();
  }
});

test('the real call answers for a directory here, and throws for one that is not there', () => {
  expect(networkFileSystem(tempDir())).toBeUndefined();
  expect(() => networkFileSystem('/no/such/directory')).toThrow(/ENOENT/);
});
