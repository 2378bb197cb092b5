// A program may have this package twice, by import and by require: what one copy decides, the other understands.
import { createRequire } from 'node:module';
import { describe, expect, test } from 'vitest';

type Ehlo = typeof import('ehlo');

const at = (file: string): string => new URL(`../dist/${file}`, import.meta.url).href;
const imported = (await import(at('index.js'))) as Ehlo;
const required = createRequire(import.meta.url)(new URL(at('index.cjs')).pathname) as Ehlo;

describe.each([
  ['that was imported', imported, required],
  ['that was required', required, imported],
])('a server of the copy %s', (_, serving, deciding) => {
  test('does what the other accepts and rejects, returned and thrown', async () => {
    expect(serving.reject).not.toBe(deciding.reject);
    const server = await serving.serve(
      { port: 0, hostname: 'mx.example.org', preset: 'lmtp' },
      {
        mail: () => deciding.accept({ text: 'go on' }),
        rcpt: ({ forwardPath }) => {
          if (forwardPath.localPart === 'nobody') throw deciding.reject(550, '5.1.1', 'no such user');
          return true;
        },
        async message({ body }) {
          await body.bytes();
          return [deciding.accept({ text: 'filed' }), deciding.reject(452, '4.2.2', 'full')];
        },
      },
    );
    const client = await deciding.connect({ port: server.address.port, protocol: 'lmtp' });
    const recipients = ['one@mx.example', 'two@mx.example', 'nobody@mx.example'];
    const { outcomes } = await client.send({ reversePath: 'joe@client.example', recipients }, 'Text\r\n');
    expect(outcomes.map(({ status, reply }) => [status, reply?.code, reply?.lines])).toEqual([
      ['accepted', 250, ['filed']],
      ['refused', 452, ['full']],
      ['refused', 550, ['no such user']],
    ]);
    await client.close();
    await server.close();
  });
});
