// Programs under test: what curl, swaks and smtplib do with a server that fails on command. { name, run() }.
import { strict as assert } from 'node:assert';
import { testServer } from 'ehlo/testing';
import { run } from './clients.mjs';

const FROM = 'sender@client.example';
const TO = 'ann@mx.example';
const TEXT = ['From: <sender@client.example>', 'Subject: hello', '', ...Array(100).fill('a line of the message'), ''].join('\r\n');

const SMTPLIB = `
import smtplib, sys
port, user, password = sys.argv[1:4]
with smtplib.SMTP("127.0.0.1", int(port), timeout=60) as smtp:
    if user:
        smtp.login(user, password)
    smtp.sendmail("${FROM}", ["${TO}"], sys.stdin.buffer.read())
`;

/** How each program sends TEXT to TO; it rejects with what the program says. */
const PROGRAMS = {
  curl: ({ port }, auth) => {
    const login = auth === null ? [] : ['--user', `${auth.user}:${auth.password}`];
    const url = `smtp://127.0.0.1:${port}/client.example`;
    const where = ['--silent', '--show-error', '--verbose', '--max-time', '60', '--url', url, '--mail-from', FROM, '--mail-rcpt', TO];
    return run('curl', [...where, ...login, '--upload-file', '-'], TEXT);
  },
  swaks: ({ port }, auth) => {
    const login = auth === null ? [] : ['--auth', 'PLAIN', '--auth-user', auth.user, '--auth-password', auth.password];
    return run('swaks', ['--server', `127.0.0.1:${port}`, '--timeout', '60', '--from', FROM, '--to', TO, ...login, '--data', '-'], TEXT);
  },
  smtplib: ({ port }, auth) => run('python3', ['-c', SMTPLIB, String(port), auth?.user ?? '', auth?.password ?? ''], TEXT),
};

/** What the server does, and what comes of it. */
const CASES = {
  'a recipient refused by a code': async (mx, send) => {
    const stub = mx.on.rcpt(TO).reply(452, '4.2.2', 'Mailbox full').times(1);
    await assert.rejects(send(null), /452|rcpt|RCPT/i);
    assert.equal(stub.fired, 1);
    await send(null);
    assert.equal((await mx.next({ to: TO })).subject, 'hello');
  },
  'a connection dropped within the message': async (mx, send) => {
    mx.on.data().drop({ after: 1024 }).times(1);
    await assert.rejects(send(null));
    assert.equal(mx.mails.length, 0);
    await send(null);
    assert.equal((await mx.next({ to: TO })).envelope.to.length, 1);
  },
  greylisting: async (mx, send) => {
    mx.on.rcpt().greylist('5 min');
    await assert.rejects(send(null), /4\d\d|rcpt|RCPT/i);
    mx.clock.advance('6 min');
    await send(null);
    assert.equal(mx.mails.length, 1);
  },
  'credentials, and an answer of two lines, octet by octet as it is written': async (mx, send) => {
    mx.on.message().raw('250-2.6.0 taken,\r\n250 2.6.0 and queued\r\n').times(1);
    await send(mx.auth);
    assert.equal((await mx.next({ identity: mx.auth.user })).subject, 'hello');
  },
};

export const testingScenarios = Object.entries(PROGRAMS).flatMap(([program, send]) =>
  Object.entries(CASES).map(([what, play]) => ({
    name: `${program}: ehlo/testing, ${what}`,
    async run() {
      const mx = await testServer();
      try {
        await play(mx, (auth) => send(mx, auth));
      } finally {
        await mx.close();
      }
    },
  })),
);
