// WAL needs shared memory between processes, which no network file system gives.
import { statfsSync } from 'node:fs';

/** `f_type` of statfs(2) on Linux for file systems that other machines can see. */
const NETWORK_FILE_SYSTEMS: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB2'],
  [0x0bd00bd0, 'Lustre'],
  [0x47504653, 'GPFS (Storage Scale)'],
  [0x19830326, 'BeeGFS'],
  [0x00c36400, 'Ceph'],
  [0x5346414f, 'AFS'],
  [0x6b414653, 'AFS'],
  [0x01021997, '9p'],
  [0xaad7aaea, 'PanFS'],
  [0x20030528, 'OrangeFS'],
  [0x01161970, 'GFS2'],
  [0x7461636f, 'OCFS2'],
  [0x73757245, 'Coda'],
  [0x564c, 'NCP'],
  [0x65735546, 'FUSE (which may be a network one)'],
]);

/** Injected so that tests can name any file system. */
export type StatFileSystem = (path: string) => { type: number | bigint };

/** The name of the network file system that holds an existing path, or undefined if it is a local one. */
export function networkFileSystem(path: string, statfs: StatFileSystem = statfsExactly): string | undefined {
  // some kernels hand the 32-bit magic on sign-extended
  return NETWORK_FILE_SYSTEMS.get(Number(BigInt.asUintN(32, BigInt(statfs(path).type))));
}

/** Sign-extended to 64 bits, a magic is beyond what a double holds. */
function statfsExactly(path: string): { type: bigint } {
  return statfsSync(path, { bigint: true });
}
