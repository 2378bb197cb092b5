// `ehlo send`, the real command line, to the servers of others: every octet is on the wire as it should be, and arrives.
import { strict as assert } from 'node:assert';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { connect, Pool } from 'ehlo';
import { run } from './clients.mjs';
import { transactions } from './extract.mjs';
import { CERTS, CYRUS, startAiosmtpd, startExim, startPostfix, startSink, USER } from './peers.mjs';
import { startRelay } from './relay.mjs';

const BIN = fileURLToPath(new URL('../../packages/ehlo/bin/ehlo.js', import.meta.url));
const CA = join(CERTS, 'ca.crt');
const PATIENCE = 30_000;

const HEADER =
  'From: <sender@client.example>\r\nTo: <one@peer.example>\r\nDate: Sun, 22 Nov 2026 00:00:00 +0000\r\nMessage-ID: <1@client.example>\r\n';
const letter = (subject, body) => `${HEADER}Subject: ${subject}\r\n\r\n${body}`;

/** What is sent: { name, content, args }; the content arrives with every line end as CRLF. */
const letters = [
  { name: 'dots', content: letter('dots', '.\r\n..\r\n.a\r\n\r\n...\r\nlast\r\n.\r\n') },
  { name: 'bare line ends', content: letter('bare', '.\n..\ra\r\n\n.\nlast') },
  { name: 'octets beyond ASCII', content: letter('8bit', 'na\u00efve \u00fc\u00df\r\n') },
  { name: 'large', content: letter('large', `.${'x'.repeat(70)}\r\n`.repeat(40_000)) },
  { name: 'several recipients', content: letter('several', 'text\r\n'), to: ['one', 'two', '"three of us"'] },
  { name: 'null sender', content: letter('null', 'text\r\n'), from: '<>' },
  { name: 'no pipelining', content: letter('off', 'text\r\n'), args: ['--pipelining', 'off'] },
  { name: 'all pipelining', content: letter('all', 'text\r\n'), args: ['--pipelining', 'transactions'] },
];

const chunked = { name: 'by BDAT', content: letter('chunks', `${'x'.repeat(70)}\r\n.\r\n`.repeat(20_000)), args: ['--chunking'] };

/** Each server: { name, needs, start, ...what it can do }. */
export const peers = [
  { name: 'smtp-sink', start: startSink, letters },
  { name: 'aiosmtpd', start: () => startAiosmtpd('plain'), letters, starttls: true, mechanisms: ['PLAIN', 'LOGIN'] },
  { name: 'aiosmtpd, TLS from the start', start: () => startAiosmtpd('tls'), letters: [], implicit: true },
  {
    name: 'Postfix',
    root: true,
    start: startPostfix,
    letters: [...letters, chunked],
    starttls: true,
    implicit: true,
    mechanisms: CYRUS,
    identified: /^\t\(Authenticated sender: tim(?:@peer\.example)?\)/m,
  },
  {
    name: 'Exim',
    root: true,
    start: startExim,
    letters: [...letters, chunked],
    starttls: true,
    implicit: true,
    mechanisms: ['PLAIN', 'LOGIN', 'CRAM-MD5'],
    identified: /\bwith esmtpsa\b/,
  },
];

export const sending = peers.flatMap((peer) =>
  [
    ...(peer.letters.length > 0 ? [{ name: `send to ${peer.name}`, run: () => sendAll(peer) }] : []),
    ...(peer.letters.length > 0 ? [{ name: `send to ${peer.name}: 200 messages by a pool`, run: () => sendMany(peer) }] : []),
    ...(peer.starttls || peer.implicit ? [{ name: `send to ${peer.name} under TLS`, run: () => sendSecurely(peer) }] : []),
    ...(peer.mechanisms ? [{ name: `send to ${peer.name} with AUTH`, run: () => sendAuthenticated(peer) }] : []),
  ].map((one) => ({ ...one, root: peer.root === true })),
);

function send({ from = '<sender@client.example>', to = ['one'], args = [] }, server, file, env = {}) {
  const recipients = to.flatMap((name) => ['--to', `${name}@peer.example`]);
  return run(process.execPath, [BIN, 'send', '--server', server, '--from', from, ...recipients, '--timeout', '60', ...args, file], '', env);
}

/** What the wire has to carry: RFC 5321 2.3.8. */
function normal(content) {
  const lines = content.replaceAll(/\r\n|\r|\n/g, '\r\n');
  return lines.endsWith('\r\n') ? lines : `${lines}\r\n`;
}

async function with_(peer, use) {
  const server = await peer.start();
  const folder = mkdtempSync(join(tmpdir(), 'ehlo-interop-'));
  try {
    await use(server, (content) => {
      const file = join(folder, 'message.eml');
      writeFileSync(file, content, 'latin1');
      return file;
    });
  } finally {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A server files what it has accepted when it likes, with fields of its own on top. */
async function arrived(server, contents) {
  const wanted = contents.map(normal).sort();
  const cut = (stored) => stored.slice(Math.max(0, stored.indexOf(HEADER)));
  let found = [];
  for (const limit = Date.now() + PATIENCE; Date.now() < limit; ) {
    found = server.received().map(cut).sort();
    if (found.length >= wanted.length) break;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  assert.equal(found.length, wanted.length, `${found.length} messages arrived, ${wanted.length} were accepted`);
  for (const [i, content] of wanted.entries())
    assert.ok(found[i] === content, `what arrived differs: ${JSON.stringify([found[i].slice(-200), content.slice(-200)])}`);
}

async function sendAll(peer) {
  await with_(peer, async (server, file) => {
    const relay = await startRelay(server.port);
    try {
      for (const one of peer.letters) {
        const said = await send({ ...one, args: ['--tls', 'none', ...(one.args ?? [])] }, `127.0.0.1:${relay.port}`, file(one.content));
        assert.equal(said.match(/^accepted /gm)?.length, (one.to ?? ['one']).length, `${one.name}: ${said}`);
      }
      const sent = peer.letters.filter(({ args = [] }) => !args.includes('--chunking'));
      const onTheWire = relay.recordings.filter(({ client }) => /\r\nDATA\r\n/.test(client)).flatMap(transactions);
      assert.deepEqual(
        onTheWire.map(({ content }) => content.length),
        sent.map(({ content }) => normal(content).length),
      );
      for (const [i, { content, from = '<sender@client.example>', to = ['one'] }] of sent.entries()) {
        assert.ok(onTheWire[i].content === normal(content), `${sent[i].name}: other octets on the wire`);
        assert.deepEqual([onTheWire[i].reversePath, onTheWire[i].forwardPaths], [from, to.map((name) => `<${name}@peer.example>`)]);
      }
    } finally {
      await relay.close();
    }
    await arrived(
      server,
      peer.letters.flatMap(({ content, to = ['one'] }) => Array(peer.name === 'Exim' ? to.length : 1).fill(content)),
    );
  });
}

async function sendMany(peer) {
  await with_(peer, async (server) => {
    const contents = Array.from({ length: 200 }, (_, i) => letter(`${i}`, `${'.line\r\n'.repeat(i)}`));
    const options = { port: server.port, starttls: 'off', pipelining: 'transactions', hostname: 'client.example' };
    const pool = new Pool(() => connect(options), { size: 4 });
    const envelope = { reversePath: 'sender@client.example', recipients: ['one@peer.example'] };
    const results = await Promise.all(contents.map((content) => pool.send(envelope, content)));
    await pool.close();
    const outcomes = results.flatMap((result) => result.outcomes);
    assert.deepEqual(
      outcomes.filter(({ status }) => status !== 'accepted'),
      [],
    );
    await arrived(server, contents);
  });
}

async function sendSecurely(peer) {
  await with_(peer, async (server, file) => {
    const { content } = letters[0];
    const ways = [
      ...(peer.starttls ? [[server.port, 'required']] : []),
      ...(peer.implicit ? [[server.tlsPort ?? server.port, 'implicit']] : []),
    ];
    for (const [port, tls] of ways) {
      await send({ args: ['--tls', tls, '--tls-ca', CA] }, `localhost:${port}`, file(content));
      await assert.rejects(send({ args: ['--tls', tls] }, `localhost:${port}`, file(content)), /ended with 77.*is not trusted/s);
    }
    await arrived(
      server,
      ways.map(() => content),
    );
  });
}

async function sendAuthenticated(peer) {
  await with_(peer, async (server, file) => {
    const { content } = letters[0];
    for (const mechanism of peer.mechanisms) {
      const args = ['--auth-user', USER.name, '--auth-mechanism', mechanism, '--tls-ca', CA, '--trace'];
      const said = await send({ args }, `localhost:${server.port}`, file(content), { EHLO_PASSWORD: USER.password });
      assert.match(said, new RegExp(`C: AUTH ${mechanism}`));
      assert.ok(!said.includes(USER.password));
      await assert.rejects(
        send({ args }, `localhost:${server.port}`, file(content), { EHLO_PASSWORD: 'wrong' }),
        /ended with 77.*refuses the credentials/s,
      );
    }
    await arrived(
      server,
      peer.mechanisms.map(() => content),
    );
    if (peer.identified) for (const stored of server.received()) assert.match(stored, peer.identified);
  });
}
