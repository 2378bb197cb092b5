// `ehlo abnf`: rules of two grammars that differ, each with a shortest word, as text and as JSON; what is no ABNF is told.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { test } from './cli.ts';

test('rules that differ, each with a word; exit codes', async ({ run, folder }) => {
  const file = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };
  const old = file('old.abnf', 'mail = "<" domain ">"\ndomain = label 1*("." label)\nlabel = 1*ALPHA\ngone = "x"\n');
  const now = file('now.abnf', 'mail = "<" domain ">"\ndomain = label *("." label)\nlabel = 1*(ALPHA)\n');
  const more = file('more.abnf', 'label =/ %x80\ntree = "x" / "(" tree ")"\n');
  const differ = run(['abnf', old, `${now},${more}`]);
  expect(await differ.exited).toBe(1);
  expect(differ.lines).toEqual([
    'mail by domain',
    '  + "<a>"',
    'domain',
    '  + "a"',
    'label',
    '  + "\\x80"',
    'only in the first: gone',
    'only in the second: tree',
    '3 rules differ, 0 are the same',
  ]);
  const same = run(['abnf', now, now, '--json']);
  expect(await same.exited).toBe(0);
  expect(JSON.parse(same.lines.join(''))).toMatchObject({ same: ['mail', 'domain', 'label'], different: [] });
  const wrong = run(['abnf', old, file('wrong.abnf', 'a = (\n')]);
  expect([await wrong.exited, wrong.errors]).toEqual([2, expect.stringMatching(/^ehlo: .*wrong\.abnf: ABNF line 1, column 6: expected/)]);
  const none = run(['abnf', old, join(folder, 'none')]);
  expect([await none.exited, none.errors]).toEqual([66, expect.stringMatching(/none can't be read/)]);
});
