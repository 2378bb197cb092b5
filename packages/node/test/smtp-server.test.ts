// The server that most programs on Node receive with.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Client, ConnectOptions } from '@ehlo/node';
import { cramMd5, login, plain } from '@ehlo/sasl';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { describe, expect, test } from 'vitest';
import { connect } from './adapter.ts';
import { pem } from './tls-wire.ts';

interface Arrived {
  readonly from: string;
  readonly to: readonly string[];
  readonly content: string;
}

async function withServer(options: SMTPServerOptions, use: (port: number, arrived: Arrived[]) => Promise<void>): Promise<void> {
  const arrived: Arrived[] = [];
  const server = new SMTPServer({
    name: 'mx.example',
    logger: false,
    disableReverseLookup: true,
    key: pem('server.key'),
    cert: pem('server.crt'),
    authOptional: true,
    authMethods: ['PLAIN', 'LOGIN', 'CRAM-MD5'],
    onAuth(auth, _session, done) {
      const right = auth.method === 'CRAM-MD5' ? auth.validatePassword('correct horse') : auth.password === 'correct horse';
      done(right ? null : new Error('wrong'), right ? { user: auth.username } : undefined);
    },
    onRcptTo: ({ address }, _session, done) => done(address.startsWith('nobody') ? new Error('no such user') : null),
    onData(stream, { envelope }, done) {
      const parts: Buffer[] = [];
      stream.on('data', (part: Buffer) => parts.push(part));
      stream.on('end', () => {
        const from = envelope.mailFrom === false ? '' : envelope.mailFrom.address;
        arrived.push({ from, to: envelope.rcptTo.map(({ address }) => address), content: Buffer.concat(parts).toString('latin1') });
        done();
      });
    },
    ...options,
  });
  server.on('error', () => {});
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  try {
    await use((server.server.address() as AddressInfo).port, arrived);
  } finally {
    await new Promise<void>((done) => server.close(done));
  }
}

const MESSAGES = [
  'Subject: plain\r\n\r\ntext\r\n',
  'Subject: dots\r\n\r\n.\r\n..\r\n.a\r\n\r\n.\r\n',
  `Subject: long\r\n\r\n${`.${'x'.repeat(900)}\r\n`.repeat(3000)}`,
];
const told = ({ outcomes }: Awaited<ReturnType<Client['send']>>): string => outcomes.map(({ status }) => status).join(' ');

describe.each<[string, SMTPServerOptions, ConnectOptions]>([
  ['in clear', { disabledCommands: ['STARTTLS', 'AUTH'] }, {}],
  ['by STARTTLS', {}, { starttls: 'required' }],
  ['TLS from the start', { secure: true }, { implicitTls: true }],
])('%s', (_, served, options) => {
  test('every message as it was sent', async () => {
    await withServer(served, async (port, arrived) => {
      const client = await connect({ host: 'localhost', port, tls: { ca: pem('ca.crt') }, ...options });
      for (const text of MESSAGES)
        expect(told(await client.send({ reversePath: 'joe@a.example', recipients: ['ann@b.example', 'nobody@b.example'] }, text))).toBe(
          'accepted refused',
        );
      expect(told(await client.send({ reversePath: '', recipients: ['ann@b.example'] }, 'Subject: bare\n\n.\n'))).toBe('accepted');
      await client.close();
      expect(arrived).toEqual([
        ...MESSAGES.map((content) => ({ from: 'joe@a.example', to: ['ann@b.example'], content })),
        { from: '', to: ['ann@b.example'], content: 'Subject: bare\r\n\r\n.\r\n' },
      ]);
    });
  });
});

test.each([
  ['PLAIN', plain()],
  ['LOGIN', login()],
  ['CRAM-MD5', cramMd5()],
])('AUTH %s', async (name, mechanism) => {
  await withServer({ authOptional: false }, async (port, arrived) => {
    const options = (password: string): ConnectOptions => ({
      host: 'localhost',
      port,
      tls: { ca: pem('ca.crt') },
      auth: { mechanisms: [mechanism], user: 'joe', password },
    });
    const client = await connect(options('correct horse'));
    expect(client.authenticated).toBe(name);
    expect(told(await client.send({ reversePath: 'joe@a.example', recipients: ['ann@b.example'] }, 'x'))).toBe('accepted');
    await client.close();
    await expect(connect(options('wrong'))).rejects.toMatchObject({ code: 'auth-refused', reply: { code: 535 } });
    expect(arrived).toHaveLength(1);
  });
});
