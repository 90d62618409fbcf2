// Before all tests: one build, which the processes of vitest then share.
import { build } from './helpers/built.ts';

export default function setup(): void {
  build();
}
