// Sessions by our own client, over sockets of loopback.
import { PRESETS } from '@ehlo/engine';
import { reject } from '@ehlo/node';
import { describe, expect, test } from 'vitest';
import { broken, content, hostile, mx, open, order, TEXT, transaction, tryOpen, words } from './harness.ts';

test('a transaction: parameters, content octet by octet, and an outcome for each recipient in order', async () => {
  const { port, taken } = await mx(
    {},
    { rcpt: ({ forwardPath }) => !forwardPath.address.startsWith('no') || reject(550, '5.1.1', 'nobody') },
  );
  const session = await open(order(port));
  expect(session.opened).toMatchObject({ tls: false, verified: false, extensions: { PIPELINING: [], DSN: [], '8BITMIME': [] } });
  const parameters = { size: TEXT.length, ret: 'HDRS', envid: 'e+1', body: '8BITMIME' } as const;
  const wanted = transaction(['a@example.net', 'no@example.net', 'c@example.net'], { parameters });
  const notify = { notify: ['SUCCESS', 'DELAY'], orcpt: { type: 'rfc822', address: 'c+d@example.com' } } as const;
  const recipients = wanted.recipients.map((one) => (one.index === 2 ? { ...one, parameters: notify } : one));
  const { outcomes, open: isOpen } = await session.send({ ...wanted, recipients }, content());
  expect([words(outcomes), isOpen]).toEqual([['accepted 250', 'refused 550', 'accepted 250'], true]);
  expect(outcomes[1]).toMatchObject({ stage: 'rcpt', permanent: true });
  expect(taken).toMatchObject([
    {
      reversePath: 'ann@example.org',
      parameters,
      recipients: [
        { address: 'a@example.net', parameters: {} },
        { address: 'c@example.net', parameters: notify },
      ],
      text: TEXT,
      hello: 'out.example.org',
    },
  ]);
});

test('parameters of every extension arrive as they were ordered', async () => {
  const by = { seconds: 900, mode: 'N', trace: true } as const;
  const { port, taken } = await mx({ mtPriority: { trusted: true } });
  const session = await open(order(port));
  const parameters = { by, mtPriority: 3, smtpUtf8: true, body: '8BITMIME' } as const;
  const { outcomes } = await session.send(transaction(['jörg@example.net'], { parameters }), content('Subject: ü\r\n\r\n'));
  expect(words(outcomes)).toEqual(['accepted 250']);
  expect(taken[0]).toMatchObject({ parameters, recipients: [{ address: 'jörg@example.net' }], text: 'Subject: ü\r\n\r\n' });
});

test('several transactions in one session, the null reverse-path among them', async () => {
  const { port, taken, server } = await mx();
  const session = await open(order(port));
  for (const reversePath of ['', 'ann@example.org'])
    expect((await session.send(transaction(['a@example.net'], { reversePath }), content())).open).toBe(true);
  expect(taken.map(({ reversePath }) => reversePath)).toEqual(['', 'ann@example.org']);
  session.close();
  await session.ended;
  expect(server.connections).toBe(0);
});

const WITHOUT_CHUNKING = PRESETS.sink.extensions.filter((name) => name !== 'CHUNKING' && name !== 'BINARYMIME');

describe.each([
  ['DATA', false, { extensions: WITHOUT_CHUNKING }],
  ['BDAT', true, {}],
] as const)('%s', (_, chunking, options) => {
  test('content that breaks off never ends: nobody is told to be accepted, and the server has no message', async () => {
    const { port, taken } = await mx(options);
    const failures: unknown[] = [];
    const session = await open(order(port), { failed: (error) => failures.push(String(error)) });
    expect('CHUNKING' in session.opened.extensions).toBe(chunking);
    const { outcomes, open: isOpen } = await session.send(transaction(['a@example.net']), broken());
    // A chunk that is not the last can be taken back by RSET (RFC 3030 2); DATA can not.
    expect([words(outcomes), isOpen, taken]).toEqual([['unsent'], chunking, []]);
    expect(failures).toEqual(['Error: not written down']);
    if (chunking) session.close();
    await session.ended;
    expect(taken).toEqual([]);
  });

  test('content that is long leaves while it is read', async () => {
    const { port, taken } = await mx(options);
    const session = await open(order(port));
    const block = `${'x'.repeat(998)}\r\n`.repeat(64);
    const long = {
      async *[Symbol.asyncIterator]() {
        for (let i = 0; i < 64; i++) yield Buffer.from(block);
      },
    };
    const { outcomes } = await session.send(transaction(['a@example.net']), long);
    expect([words(outcomes), taken[0]?.text.length]).toEqual([['accepted 250'], 64 * 64_000]);
  });
});

test('octets beyond ASCII in what was declared as 7BIT are not sent', async () => {
  const { port, taken } = await mx();
  const session = await open(order(port));
  const { outcomes } = await session.send(transaction(['a@example.net']), content('Subject: x\r\n\r\nü\r\n'));
  expect([outcomes, taken]).toMatchObject([[{ status: 'unsent', cause: 'declaration' }], []]);
});

test('a server that leaves behind the end of the message: nobody knows', async () => {
  const port = await hostile(async (socket, line) => {
    socket.write('220 x\r\n');
    for (const reply of ['250 x', '250 OK', '250 OK', '354 go']) {
      await line();
      socket.write(`${reply}\r\n`);
    }
    while ((await line()) !== '.');
    socket.destroy();
  });
  const session = await open(order(port));
  const { outcomes, open: isOpen } = await session.send(transaction(['a@example.net']), content());
  expect([words(outcomes), isOpen]).toEqual([['unknown'], false]);
  await session.ended;
});

test('a server that leaves before: nothing was sent', async () => {
  const port = await hostile(async (socket, line) => {
    socket.write('220 x\r\n');
    await line();
    socket.write('250 x\r\n');
    await line();
    socket.destroy();
  });
  const session = await open(order(port));
  const { outcomes } = await session.send(transaction(['a@example.net']), content());
  expect(outcomes).toMatchObject([{ status: 'unsent', cause: 'ended' }]);
});

test.each([
  ['connect', {}, null],
  ['greeting', { code: 554 }, ['554 5.3.2 not now']],
  ['greeting', {}, ['Hello']],
  ['hello', { code: 550 }, ['220 x', '550 no', '550 no']],
] as const)('there is no session: stage %s, %o', async (stage, reply, said) => {
  let port = 0;
  if (said !== null)
    port = await hostile(async (socket, line) => {
      const [greeting, ...replies] = said;
      socket.write(`${greeting}\r\n`);
      for (const one of replies) {
        await line();
        socket.write(`${one}\r\n`);
      }
      await line();
    });
  else {
    const { port: gone, server } = await mx();
    await server.close();
    port = gone;
  }
  expect(await tryOpen(order(port))).toMatchObject({ stage, ...('code' in reply ? { reply } : {}), text: expect.any(String) });
});

test('HELO, where the server knows nothing else: no extensions', async () => {
  const port = await hostile(async (socket, line) => {
    socket.write('220 x\r\n');
    await line();
    socket.write('500 what\r\n');
    await line();
    socket.write('250 x\r\n');
  });
  expect((await open(order(port))).opened).toEqual({ extensions: {}, tls: false, verified: false });
});

test('LMTP: a reply for each recipient behind the message (RFC 2033)', async () => {
  const { port, taken } = await mx(
    { preset: 'lmtp' },
    {
      rcpt: () => true,
      async message({ body }) {
        await body.bytes();
        return [true, reject(452, '4.2.2', 'full')];
      },
    },
  );
  const session = await open(order(port, undefined, { protocol: 'lmtp' }));
  const { outcomes } = await session.send(transaction(['a@example.net', 'b@example.net']), content());
  expect([words(outcomes), taken]).toEqual([['accepted 250', 'refused 452'], []]);
});

test('from a source address, by the name that belongs to it', async () => {
  const { port, taken } = await mx({ host: '127.0.0.1' });
  const names = { '127.0.0.2': 'second.example.org' };
  for (const source of ['127.0.0.2', '127.0.0.3']) {
    const session = await open(order(port, undefined, { source }), { names });
    await session.send(transaction(['a@example.net']), content());
  }
  expect(taken.map(({ peer, hello }) => [peer, hello])).toEqual([
    ['127.0.0.2', 'second.example.org'],
    ['127.0.0.3', 'out.example.org'],
  ]);
});

test('what is signed has its header in front, and its size counts', async () => {
  const { port, taken } = await mx();
  const sign = async (_: unknown, octets: AsyncIterable<Uint8Array>): Promise<Uint8Array> => {
    let length = 0;
    for await (const part of octets) length += part.length;
    return Buffer.from(`X-Length: ${length}\r\n`);
  };
  const session = await open(order(port), { sign });
  await session.send(transaction(['a@example.net'], { parameters: { size: TEXT.length } }), content());
  const text = `X-Length: ${TEXT.length}\r\n${TEXT}`;
  expect(taken).toMatchObject([{ text, parameters: { size: text.length } }]);
});

test('what can not be signed is not sent, and the session goes on', async () => {
  const { port, taken } = await mx();
  const failures: string[] = [];
  const sign = (): never => {
    throw new Error('no key');
  };
  const session = await open(order(port), { sign, failed: (error, what) => failures.push(`${what}: ${(error as Error).message}`) });
  const { outcomes, open: isOpen } = await session.send(transaction(['a@example.net']), content());
  expect([words(outcomes), isOpen, taken, failures]).toEqual([['unsent'], true, [], ['sign: no key']]);
});

test('what is being opened is given up at once', async () => {
  const stopping = new AbortController();
  const port = await hostile(async (_, line) => {
    setImmediate(() => stopping.abort());
    // It never greets.
    await line();
  });
  expect(await tryOpen(order(port), {}, stopping.signal)).toMatchObject({ stage: 'greeting' });
  expect(await tryOpen(order(port), {}, stopping.signal)).toMatchObject({ stage: 'connect' });
});
