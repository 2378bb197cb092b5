// The client that most programs on Node send with.
import { setTimeout as wait } from 'node:timers/promises';
import { reject } from '@ehlo/node';
import { createTransport } from 'nodemailer';
import { expect } from 'vitest';
import { test } from './fixture.ts';

interface Mail {
  readonly from: string;
  readonly to: readonly string[];
  readonly content: string;
}

const POOL = { pool: true, maxConnections: 3, maxMessages: 7 } as const;

test.for([
  ['a connection each', {}],
  ['pooled', POOL],
] as const)('nodemailer, %s: every message as it was sent', async ([, options], { start }) => {
  const mails: Mail[] = [];
  const server = await start({
    async rcpt({ forwardPath }) {
      await wait(1);
      return forwardPath.localPart !== 'nobody' || reject(550, '5.1.1', 'no such user');
    },
    async message({ envelope, body }) {
      const content = Buffer.from(await body.bytes()).toString('latin1');
      mails.push({ from: envelope.reversePath.address, to: envelope.recipients.map(({ forwardPath }) => forwardPath.address), content });
      return true;
    },
  });
  const transport = createTransport({ host: '127.0.0.1', port: server.address.port, ignoreTLS: true, ...options });
  const sent = await Promise.all(
    Array.from({ length: 20 }, (_, n) =>
      transport.sendMail({
        from: 'sender@client.example',
        to: ['one@mx.example', 'nobody@mx.example', 'two@mx.example'],
        subject: `number ${n}`,
        text: `number ${n}\n.\n..dots\n${'long line '.repeat(200 * n)}`,
        attachments: [{ filename: 'octets.bin', content: Buffer.from(Array.from({ length: 1000 * n }, (_, i) => i % 256)) }],
      }),
    ),
  );
  transport.close();
  expect(sent.map(({ accepted }) => accepted)).toEqual(Array(20).fill(['one@mx.example', 'two@mx.example']));
  expect(sent.map(({ rejected }) => rejected)).toEqual(Array(20).fill(['nobody@mx.example']));
  expect(mails.length).toBe(20);
  for (const { from, to, content } of mails) {
    expect([from, ...to]).toEqual(['sender@client.example', 'one@mx.example', 'two@mx.example']);
    const n = Number(/^Subject: number (\d+)\r$/m.exec(content)?.[1]);
    const [, , attached] = content.split(/^--.*\r\n/m);
    expect(content).toContain(`number ${n}\r\n.\r\n..dots\r\n`);
    const octets = Buffer.from(attached!.slice(attached!.indexOf('\r\n\r\n')), 'base64');
    expect(octets.equals(Buffer.from(Array.from({ length: 1000 * n }, (_, i) => i % 256)))).toBe(true);
  }
  expect(new Set(mails.map(({ content }) => /^Subject: .*$/m.exec(content)?.[0])).size).toBe(20);
});

test('nodemailer is told why a message is refused', async ({ start }) => {
  const server = await start({ message: async () => reject(554, '5.7.1', 'not this one') });
  const transport = createTransport({ host: '127.0.0.1', port: server.address.port, ignoreTLS: true });
  const sent = transport.sendMail({ from: 'a@client.example', to: 'b@mx.example', text: 'x\n'.repeat(100_000) });
  await expect(sent).rejects.toMatchObject({ code: 'EMESSAGE', responseCode: 554, response: '554 5.7.1 not this one' });
  transport.close();
});
