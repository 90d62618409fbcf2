// Which paths may hang is found out without touching one that does.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { mayHang } from '../../src/db/mounts.ts';

const MOUNTS = `22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw
23 22 0:5 / /proc rw - proc proc rw
40 22 0:45 / /home rw,relatime shared:9 - nfs4 filer:/home rw,vers=4.2
41 22 0:46 / /scratch/big\\040disk rw - lustre 10.0.0.1@o2ib:/scratch rw
42 22 0:47 / /auto rw - autofs systemd-1 rw
43 40 8:2 / /home/local rw - xfs /dev/sdb1 rw
44 22 0:48 / /over rw - ext4 /dev/sdc1 rw
45 22 0:49 / /over rw - fuse.sshfs me@host: rw
`;
const LINKS: Record<string, string> = {
  '/work': 'home',
  '/data': '/scratch/big disk',
  '/ring': '/gnir',
  '/gnir': 'ring',
  '/var/log': '../tmp/../tmp',
};

function view(text: string | undefined = MOUNTS) {
  const touched: string[] = [];
  const readLink = (path: string): string | undefined => {
    touched.push(path);
    return LINKS[path];
  };
  return { touched, mountInfo: () => text, readLink };
}

test.each([
  ['/var/tmp/x', false],
  ['/var/log/x', false],
  ['/home/ada/iris', true],
  ['/homes/ada', false],
  ['/work/ada/iris', true],
  ['/data/x', true],
  ['/scratch/big disk/x', true],
  ['/scratch/other', false],
  ['/auto/x', true],
  ['/over/x', true],
  ['/ring/x', false],
  ['/', false],
])('%s may hang: %s', (path, expected) => {
  expect(mayHang(path, view())).toBe(expected);
});

test('a path through a file system that may hang may hang, although it leads back', () => {
  expect(mayHang('/home/local/x', view())).toBe(true);
});

test('nothing at or below a mount that may hang is touched', () => {
  const part = fc.constantFrom(
    'home',
    'ada',
    'work',
    'data',
    'auto',
    'x',
    '..',
    'over',
    'scratch',
    'big disk',
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 6 }), (parts) => {
      const seen = view();
      mayHang(`/${parts.join('/')}`, seen);
      const remote = /^\/(?:home|auto|over|scratch\/big disk)(?:\/|$)/;
      expect(seen.touched.filter((path) => remote.test(path))).toEqual([]);
    }),
  );
});

test('where there is no /proc everything may hang', () => {
  const { readLink } = view();
  expect(mayHang('/var/tmp/x', { readLink, mountInfo: () => undefined })).toBe(true);
});
