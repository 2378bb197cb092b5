// The README's example runs, and prints what it says.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test, vi } from 'vitest';

test('the example of the README', async () => {
  const folder = fileURLToPath(new URL('..', import.meta.url));
  const code = /```ts\n(.*?)```/s.exec(readFileSync(`${folder}README.md`, 'utf8'))![1]!;
  const [, said] = /console\.log\(.*\); \/\/ → (.*)/.exec(code)!;
  mkdirSync(`${folder}.results`, { recursive: true });
  writeFileSync(`${folder}.results/readme.ts`, code.replace("'@ehlo/sasl'", "'../src/index.ts'"));
  const log = vi.spyOn(console, 'log').mockImplementation(() => {});
  await import(/* @vite-ignore */ `${folder}.results/readme.ts`);
  expect(log.mock.calls.map((values) => values.join(' '))).toEqual([said]);
});
