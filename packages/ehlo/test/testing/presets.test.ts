// The presets as our own client meets them.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { connect } from '../../src/index.ts';
import { checkStubFile, type PresetName, STUB_PRESETS, type TestServer, testServer } from '../../src/testing.ts';

/** A mail to each, one after the other, each on a connection of its own: how it ended. */
async function sent(mx: TestServer, ...recipients: string[]): Promise<string[]> {
  const all: string[] = [];
  for (const recipient of recipients) {
    const said = await connect({ host: mx.host, port: mx.port }).then(
      async (client) => {
        const { outcomes } = await client.send({ reversePath: 'ann@example.org', recipients: [recipient] }, 'Subject: x\r\n\r\nx\r\n');
        await client.close();
        return outcomes.map(({ status, reply }) => `${status} ${reply?.code ?? ''} ${reply?.enhanced ?? ''}`.trim()).join();
      },
      (error: { code: string }) => error.code,
    );
    all.push(said);
  }
  return all;
}

const README = readFileSync(new URL('../../../testing/README.md', import.meta.url), 'utf8');
const ANY = 'joe@example.org';
const THREE = ['nobody@example.org', 'full@example.org', ANY];
const CASES: { readonly [name in PresetName]: readonly [recipients: string[], expected: string[]] } = {
  gmail: [THREE, ['refused 550 5.1.1', 'refused 452 4.2.2', 'accepted 250 2.6.0']],
  outlook: [THREE, ['refused 550 5.1.10', 'refused 452 4.2.2', 'accepted 250 2.6.0']],
  postfix: [THREE, ['refused 550 5.1.1', 'refused 452 4.2.2', 'accepted 250 2.0.0']],
  exim: [THREE, ['refused 550', 'refused 452', 'accepted 250']],
  greylisting: [
    [ANY, ANY],
    ['refused 450 4.7.1', 'refused 450 4.7.1'],
  ],
  'full-disk': [[ANY], ['refused 452 4.3.1']],
  flaky: [
    [ANY, ANY, ANY, ANY],
    ['accepted 250 2.6.0', 'unknown', 'closing', 'accepted 250 2.6.0'],
  ],
  slow: [[], []],
  throttled: [Array.from({ length: 11 }, () => ANY), [...Array.from({ length: 10 }, () => 'accepted 250 2.6.0'), 'closing']],
  'no-tls': [[ANY], ['accepted 250 2.6.0']],
  'smtputf8-less': [['jörg@example.org'], ['refused']],
  tarpit: [[], []],
};

test.each(Object.entries(CASES))('%s', async (name, [recipients, expected]) => {
  const file = STUB_PRESETS[name as PresetName];
  expect(checkStubFile(file)).toEqual(file);
  expect([/^https:\/\//.test(file.source!), /^[^\n]*\.$/.test(file.about!)]).toEqual([true, true]);
  expect(README).toContain(`| \`${name}\` | ${file.about} |`);
  await using mx = await testServer({ preset: name as PresetName, ...(name === 'no-tls' ? { tls: 'starttls' as const } : {}) });
  expect(await sent(mx, ...recipients)).toEqual(expected);
  if (name !== 'greylisting') return;
  mx.clock.advance('5 min');
  expect(await sent(mx, ANY)).toEqual(['accepted 250 2.6.0']);
});

test.each<PresetName>(['slow', 'tarpit'])('%s keeps waiting, and no longer than its clock says', async (name) => {
  await using mx = await testServer({ preset: name });
  let done = false;
  const sending = sent(mx, ANY).finally(() => {
    done = true;
  });
  // As often as something is waited for.
  for (let i = 0; !done; i++) {
    expect(i).toBeLessThan(10_000);
    await new Promise((resolve) => setImmediate(resolve));
    if (i % 10 === 9) mx.clock.advance('1 s');
  }
  expect(await sending).toEqual(['accepted 250 2.6.0']);
});

test('one that is not there is told, with the nearest', async () => {
  await expect(testServer({ preset: 'gmial' as PresetName })).rejects.toThrow('there is no preset gmial: did you mean gmail?');
});
