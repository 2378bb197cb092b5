import { expect, onTestFinished, test, vi } from 'vitest';
import { MemoryQueue, wallClock } from '../../src/index.ts';
import { config, folder, sink, start, Talk, until } from './harness.ts';

/** A relay whose mail for both domains goes to one sink. */
function through(port: number, more: object = {}): object {
  return { routes: [{ to: 'host', domains: ['*'], hosts: ['127.0.0.1'], port, tls: 'clear' }], ...more };
}

test('a message comes in, is durable, and goes out with a Received field', async () => {
  const { port, taken } = await sink();
  const rig = await start(through(port));
  const talk = await Talk.to(rig.port('mx'));
  expect(await talk.send('may@example.net', ['ann@example.org', 'joe@example.org'])).toEqual(['accepted 250 2.6.0', 'accepted 250 2.6.0']);
  await until(() => taken.length === 1);
  expect(taken[0]).toMatchObject({ from: 'may@example.net', to: ['ann@example.org', 'joe@example.org'] });
  expect(taken[0]!.text).toMatch(
    /^Received: from client\.example \(\[127\.0\.0\.1\]\)\r\n\tby mx\.example\.org with ESMTP id \S+;?[\s\S]*\r\nSubject: hello\r\n\r\nhello\r\n$/,
  );
  await until(() => rig.queue.size === 0);
  expect(await rig.logged('received')).toMatchObject({
    from: 'may@example.net',
    to: ['ann@example.org', 'joe@example.org'],
    client: '127.0.0.1',
  });
});

test('who is unknown is refused at RCPT; postmaster never is', async () => {
  const { port, taken } = await sink();
  const rig = await start(through(port));
  const talk = await Talk.to(rig.port('mx'));
  const to = [
    'nobody@example.org',
    'ann@example.org',
    'may@example.net',
    'POSTMASTER@example.org',
    'postmaster@mx.example.org',
    'postmaster@[127.0.0.1]',
  ];
  expect(await talk.send('a@example.net', to)).toEqual([
    'refused 550 5.1.1',
    'accepted 250 2.6.0',
    'refused 550 5.7.1',
    'accepted 250 2.6.0',
    'accepted 250 2.6.0',
    'accepted 250 2.6.0',
  ]);
  await until(() => rig.queue.size === 0);
  const all = taken.flatMap((one) => one.to).sort();
  // Of the three for postmaster there may be fewer copies: they are one mailbox.
  expect([...new Set(all)]).toEqual(['ann@example.org', 'boss@example.com']);
});

test.each(['127.0.0.1', '127.0.0.0/8', '::ffff:127.0.0.1'])('%s may relay where it is named', async (network) => {
  const { port, taken } = await sink();
  const rig = await start(through(port, { relayFrom: [network] }));
  const talk = await Talk.to(rig.port('mx'));
  expect(await talk.send('ann@example.org', ['may@example.net'])).toEqual(['accepted 250 2.6.0']);
  await until(() => taken.length === 1);
});

test('openRelay takes everything, for it is named so', async () => {
  const rig = await start({}, { openRelay: true });
  const talk = await Talk.to(rig.port('mx'));
  expect(await talk.send('a@example.net', ['may@example.com'])).toEqual(['accepted 250 2.6.0']);
});

test('a user who has logged in may relay, as an address that is allowed; what a program has left out is completed', async () => {
  const { port, taken } = await sink();
  const files = folder({ users: 'ann:secret-of-ann\n' });
  const users = { file: `${files}/users`, senders: { ann: ['ann@example.org', '*@lists.example.org'] } };
  const rig = await start(through(port, { users }), { kind: 'submission', tls: 'off' });
  const stranger = await Talk.to(rig.port('mx'));
  expect(await stranger.send('ann@example.org', ['may@example.net'])).toEqual(['refused 530 5.7.0']);
  const { plain } = await import('@ehlo/sasl');
  const auth = { mechanisms: [plain()], user: 'ann', password: 'secret-of-ann' };
  const talk = await Talk.to(rig.port('mx'), { auth, credentials: 'cleartext' });
  expect(await talk.send('boss@example.org', ['may@example.net'])).toEqual(['refused 553 5.7.1']);
  const text = 'Return-Path: <x@y.example>\r\nBcc: joe@example.org\r\nFrom: ann@example.org\r\nTo: may@example.net\r\n\r\nhello\r\n';
  expect(await talk.send('any@LISTS.example.org', ['may@example.net'], text)).toEqual(['accepted 250 2.6.0']);
  await until(() => taken.length === 1);
  const [header] = taken[0]!.text.split('\r\n\r\n');
  expect(header).toMatch(/^Received: [\s\S]* with ESMTPA id /);
  expect(header).toMatch(/\r\nDate: .+\r\nMessage-ID: <\S+@mx\.example\.org>$/);
  expect(header).not.toMatch(/Bcc|Return-Path/);
  expect(JSON.stringify(rig.log)).not.toContain('secret-of-ann');
});

test('aliases, lists and details go to whom they stand for; a list has its owner as sender', async () => {
  const { port, taken } = await sink();
  const more = {
    subaddress: '+',
    aliases: { 'info@example.org': ['ann@example.org', 'may@example.net'] },
    lists: { 'team@example.org': { members: ['joe@example.org', 'kim@example.net'], owner: 'ann@example.org' } },
  };
  const rig = await start(through(port, more));
  const talk = await Talk.to(rig.port('mx'));
  expect(await talk.send('a@example.net', ['INFO@example.org', 'team@example.org', 'ann+shop@example.org', 'no+shop@example.org'])).toEqual(
    ['accepted 250 2.6.0', 'accepted 250 2.6.0', 'accepted 250 2.6.0', 'refused 550 5.1.1'],
  );
  await until(() => rig.queue.size === 0);
  expect(taken.flatMap(({ from, to }) => to.map((one) => `${from} ${one}`)).sort()).toEqual([
    'a@example.net ann+shop@example.org',
    'a@example.net ann@example.org',
    'a@example.net may@example.net',
    'ann@example.org joe@example.org',
    'ann@example.org kim@example.net',
  ]);
});

test('who is refused further on is told to the sender, by a notice that goes the same way', async () => {
  const { port, taken } = await sink(
    {},
    {
      rcpt: async ({ forwardPath }) => {
        const { reject } = await import('@ehlo/node');
        return forwardPath.localPart === 'ann' ? reject(550, '5.2.1', 'gone') : true;
      },
    },
  );
  const rig = await start(through(port));
  const talk = await Talk.to(rig.port('mx'));
  expect(await talk.send('may@example.net', ['ann@example.org'])).toEqual(['accepted 250 2.6.0']);
  await until(() => taken.length === 1);
  expect(taken[0]).toMatchObject({ from: '', to: ['may@example.net'] });
  expect(taken[0]!.text).toMatch(/Final-Recipient: rfc822; ?ann@example\.org/i);
});

test('a message that has passed too many hosts is a loop', async () => {
  const rig = await start();
  const talk = await Talk.to(rig.port('mx'));
  const field = 'Received: from a.example by b.example with SMTP; 1 Jan 2026 00:00:00 +0000\r\n';
  expect(await talk.send('a@example.net', ['ann@example.org'], `${field.repeat(100)}Subject: x\r\n\r\nx\r\n`)).toEqual([
    'accepted 250 2.6.0',
  ]);
  expect(await talk.send('a@example.net', ['ann@example.org'], `${field.repeat(101)}Subject: x\r\n\r\nx\r\n`)).toEqual([
    'refused 554 5.4.6',
  ]);
});

test('a sender whose domain takes no mail is refused, where a stranger names it', async () => {
  const lookUp = async ({ name }: { name: string }): Promise<never> => {
    const mx = name === 'null.example' ? [{ preference: 0, exchange: '' }] : [{ preference: 10, exchange: 'mx.example.net' }];
    return { status: 'found', security: 'insecure', ttl: 60, mx } as never;
  };
  const rig = await start({}, {}, { lookUp });
  const talk = await Talk.to(rig.port('mx'));
  expect(await talk.send('a@null.example', ['ann@example.org'])).toEqual(['refused 550 5.7.27']);
  expect(await talk.send('a@example.net', ['ann@example.org'])).toEqual(['accepted 250 2.6.0']);
  expect(await talk.send('', ['ann@example.org'])).toEqual(['accepted 250 2.6.0']);
});

test('a full disk is 452, an unreachable queue 451; both are logged, and the session goes on', async () => {
  const rig = await start();
  const put = rig.queue.put.bind(rig.queue);
  const fails = (error: Error | null): void => {
    rig.queue.put = error === null ? put : async () => Promise.reject(error);
  };
  const talk = await Talk.to(rig.port('mx'));
  fails(Object.assign(new Error('no space left on device'), { code: 'ENOSPC' }));
  expect(await talk.send('a@example.net', ['ann@example.org'])).toEqual(['refused 452 4.3.1']);
  expect(await rig.logged('no-room')).toMatchObject({ error: 'no space left on device' });
  fails(new Error('connect ECONNREFUSED'));
  expect(await talk.send('a@example.net', ['ann@example.org'])).toEqual(['refused 451 4.3.0']);
  expect(await rig.logged('failed')).toMatchObject({ what: 'message', error: 'connect ECONNREFUSED' });
  fails(null);
  expect(await talk.send('a@example.net', ['ann@example.org'])).toEqual(['accepted 250 2.6.0']);
});

test('LMTP: a recipient each, and who is unknown is told', async () => {
  const rig = await start({}, { kind: 'lmtp' });
  const talk = await Talk.to(rig.port('mx'), { protocol: 'lmtp' });
  expect(await talk.send('a@example.net', ['ann@example.org', 'no@example.org', 'joe@example.org'])).toEqual([
    'accepted 250 2.6.0',
    'refused 550 5.1.1',
    'accepted 250 2.6.0',
  ]);
});

test('a message larger than what may be in memory waits in a file, and what is 8-bit is known to be', async () => {
  const { port, taken } = await sink();
  const rig = await start(through(port, { limits: { memory: '1MiB', scratch: folder() } }));
  const talk = await Talk.to(rig.port('mx'));
  const text = `Subject: large\r\n\r\n${'grüße, und noch einmal grüße\r\n'.repeat(80_000)}`;
  expect(await talk.send('a@example.net', ['ann@example.org'], text)).toEqual(['accepted 250 2.6.0']);
  await until(() => taken.length === 1);
  expect(taken[0]!.text.endsWith(text)).toBe(true);
  expect(taken[0]!.parameters).toMatchObject({ body: '8BITMIME' });
});

test('failed logins are slowed down, and then shut out', async () => {
  const files = folder({ users: 'ann:secret-of-ann\n' });
  const rig = await start({ users: { file: `${files}/users` }, limits: { authFailures: 2 } }, { kind: 'submission', tls: 'off' });
  const { plain } = await import('@ehlo/sasl');
  const wrong = { auth: { mechanisms: [plain()], user: 'ann', password: 'guess-number-1' }, credentials: 'cleartext' };
  await expect(Talk.to(rig.port('mx'), wrong)).rejects.toThrow('535');
  await expect(Talk.to(rig.port('mx'), wrong)).rejects.toThrow('535');
  await expect(Talk.to(rig.port('mx'))).rejects.toThrow('421');
  expect(rig.log.filter(([event]) => event === 'login-failed')).toHaveLength(2);
});

test('one client has so many connections at a time, and gets its place back', async () => {
  const rig = await start({ limits: { connectionsPerClient: 2 } });
  const one = await Talk.to(rig.port('mx'));
  await Talk.to(rig.port('mx'));
  await expect(Talk.to(rig.port('mx'))).rejects.toThrow('421');
  await one.client.close();
  await until(() => rig.relay.sessions < 2);
  await Talk.to(rig.port('mx'));
});

test('a configuration is read again: old sessions go on by the new rules, and no connection is lost', async () => {
  const { port, taken } = await sink();
  const rig = await start(through(port));
  const talk = await Talk.to(rig.port('mx'));
  expect(await talk.send('a@example.net', ['kim@example.org'])).toEqual(['refused 550 5.1.1']);
  const at = rig.port('mx');
  await rig.relay.reload(config(through(port, { recipients: ['kim@example.org'], limits: { messageSize: '64KiB' } })));
  expect(rig.port('mx')).toBe(at);
  expect(await talk.send('a@example.net', ['kim@example.org', 'ann@example.org'])).toEqual(['accepted 250 2.6.0', 'refused 550 5.1.1']);
  const other = await Talk.to(at);
  expect(other.client.capabilities?.extensions.get('SIZE')).toEqual(['65536']);
  await until(() => taken.length === 1);
  await expect(rig.relay.reload(config({ aliasesFile: '/nowhere/aliases' }))).rejects.toThrow(
    'aliasesFile: the file /nowhere/aliases is not there',
  );
  await expect(rig.relay.reload(config({ queue: { kind: 'spool', folder: '/x' } }))).rejects.toThrow('takes a restart');
  expect(await other.send('a@example.net', ['kim@example.org'])).toEqual(['accepted 250 2.6.0']);
});

test('it stops when what has begun has ended, and takes nobody meanwhile', async () => {
  const { port, taken } = await sink();
  const rig = await start(through(port));
  const at = rig.port('mx');
  const talk = await Talk.to(at);
  await talk.send('a@example.net', ['ann@example.org']);
  await until(() => taken.length === 1);
  await rig.relay.close();
  expect(rig.relay.runner.state).toBe('stopped');
  await expect(Talk.to(at)).rejects.toThrow();
});

test('leases are renewed three times while one lasts, however long that is', async () => {
  const pauses = vi.spyOn(wallClock, 'in');
  onTestFinished(() => pauses.mockRestore());
  await start({}, {}, { queue: async () => ({ queue: new MemoryQueue({ ...wallClock, lease: 21_000 }), lease: 21_000 }) });
  expect(pauses.mock.calls.map(([ms]) => ms)).toContain(7000);
});
