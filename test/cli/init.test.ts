import { expect, test } from 'vitest';
import { Desk } from './command.ts';

test('the line that jobs are told can be pasted, and a path is one line, whatever is in its name', async () => {
  const desk = await Desk.withLog();
  const { code, stdout } = await desk.run(['init', "Ada's\nlogs"]);
  expect(code).toBe(0);
  const [made = '', ...rest] = stdout.split('\n');
  expect(made).toMatch(/^made \S*Ada's\S+logs$/);
  expect(rest.join('\n')).toMatch(
    /^jobs and commands find it by: export RUNFOLD_DIR='\S*Ada'\\''s\nlogs'\n$/,
  );
});
