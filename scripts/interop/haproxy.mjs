// HAProxy stands in front of us, and says by the PROXY protocol whose connection it brings.
import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './clients.mjs';
import { judge } from './judge.mjs';
import { shown } from './manual.mjs';
import { CA, CERTS, freePort, linesTo, scenario, storedBy, TLS, until } from './stage.mjs';

/** The client's end: another address than that of the proxy. */
const CLIENT = '127.0.0.9';
/** Of version 2. */
const SIGNATURE = '\r\n\r\n\0\r\nQUIT\n';
const COMMANDS = new Map([
  [0x20, 'LOCAL'],
  [0x21, 'PROXY'],
]);
const TLV = { crc32c: 0x03, uniqueId: 0x05, tls: 0x20 };

/** What docs/behind-haproxy.md says of the server. */
const SHOWN = 'send-proxy-v2 check check-send-proxy';

export const haproxyScenarios = [
  scenario('HAProxy: PROXY v1', (stage) => proxied(stage, { version: 'v1', send: 'send-proxy' })),
  scenario('HAProxy: PROXY v2', (stage) => proxied(stage, { version: 'v2', send: 'send-proxy-v2' })),
  scenario('HAProxy: PROXY v2 with a checksum and a unique id', (stage) =>
    proxied(stage, { version: 'v2', send: 'send-proxy-v2 proxy-v2-options unique-id,crc32c', tlvs: [TLV.crc32c, TLV.uniqueId] }),
  ),
  scenario('HAProxy: PROXY v2 where either version is taken, TLS ends at the proxy', (stage) =>
    proxied(stage, { version: 'any', send: 'send-proxy-v2-ssl-cn', tlvs: [TLV.tls], endsTls: true }),
  ),
  scenario('HAProxy: PROXY v2, STARTTLS behind the header', (stage) =>
    passed(stage, { version: 'v2', send: 'send-proxy-v2', port: 'port', option: '--tls' }),
  ),
  scenario('HAProxy: PROXY v1, TLS from the start behind the header', (stage) =>
    passed(stage, { version: 'v1', send: 'send-proxy', port: 'tlsPort', option: '--tlsc' }),
  ),
  scenario('HAProxy: health checks by v1', (stage) => checked(stage, 'v1', 'send-proxy')),
  scenario('HAProxy: health checks by v2, LOCAL', (stage) => checked(stage, 'v2', 'send-proxy-v2')),
  scenario('HAProxy: configured as docs/behind-haproxy.md shows', documented),
];

/** The wire between the proxy and us is recorded: what it said of the client, and the message. */
async function proxied(stage, { version, send, tlvs = [], endsTls = false }) {
  const server = await stage.server('--raw', '--proxy', version);
  const relay = await stage.relay(server.port);
  const front = await haproxy(stage, relay.port, send, endsTls);
  const port = await swaks(front, ...(endsTls ? ['--tlsc', ...TRUST] : []));
  const [message] = await storedBy(server);
  assert.deepEqual(message.peer, { address: CLIENT, port });
  assert.equal(message.protocol, 'ESMTP');
  const [recording] = relay.recordings.map(withoutHeader);
  assert.equal(judge([recording], server, true), 1);
  if (version === 'v1') assert.equal(recording.header, `PROXY TCP4 ${CLIENT} 127.0.0.1 ${port} ${front}\r\n`);
  else assert.deepEqual(readV2(recording.header), { command: 'PROXY', address: CLIENT, port, tlvs });
}

/** What the proxy passes on is encrypted: it is stored as it was given to the client. */
async function passed(stage, { version, send, port, option }) {
  const server = await stage.server('--raw', '--proxy', version, ...TLS, '--tls-port', '0');
  const front = await haproxy(stage, server[port], send);
  const from = await swaks(front, option, ...TRUST);
  const [message] = await storedBy(server);
  assert.deepEqual(message.peer, { address: CLIENT, port: from });
  assert.equal(message.protocol, 'ESMTPS');
  assert.match(message.content, /\r\n\r\nThrough the proxy\r\n/);
}

/** The checks are sessions of the proxy itself; clients have theirs beside them. */
async function checked(stage, version, send) {
  const server = await stage.server('--raw', '--proxy', version);
  const relay = await stage.relay(server.port);
  const front = await haproxy(stage, relay.port, `${send} check-send-proxy check inter 100`);
  await until('three health checks', () => linesTo(server).filter((line) => line === 'EHLO haproxy.example.org').length >= 3);
  const port = await swaks(front);
  const [message] = await storedBy(server);
  assert.deepEqual(message.peer, { address: CLIENT, port });
  assert.doesNotMatch(server.errors, /no session/);
  const own = server.events('connected').filter(({ address }) => address !== CLIENT);
  assert(own.length >= 3);
  assert(own.every(({ address, port }) => address === '127.0.0.1' && port > 0));
  if (version === 'v2') assert.equal(readV2(withoutHeader(relay.recordings[0]).header).command, 'LOCAL');
}

/** Both sides as the page has them. */
async function documented(stage) {
  const port = await freePort();
  const said = await stage.example('behind-haproxy.mjs', port);
  await swaks(await haproxy(stage, port));
  await until('one message of the client', () => said() === `from ${CLIENT}\n`);
}

/** Starts it in front of a port, by the configuration of the page, where `send` may stand for other options of the server; returns its own. */
async function haproxy(stage, target, send = SHOWN, endsTls = false) {
  const port = await freePort();
  const ready = await freePort();
  const pem = ['server.crt', 'server.key'].map((name) => readFileSync(join(CERTS, name), 'latin1')).join('');
  const bind = `127.0.0.1:${port}${endsTls ? ` ssl crt ${stage.file('server.pem', pem)}` : ''}`;
  const page = shown('behind-haproxy.md', 'haproxy', [
    ['bind :25', `bind ${bind}`],
    [`10.0.0.5:2525 ${SHOWN}`, `127.0.0.1:${target} ${send}`],
  ]);
  const config = stage.file(
    'haproxy.cfg',
    `
global
  log stdout format raw local0 info
${page}
  unique-id-format %rt
# The last to be bound: who asks the other is a client.
frontend ready
  bind 127.0.0.1:${ready}
`,
  );
  await stage.daemon('haproxy', ['-db', '-f', config], [ready]);
  return port;
}

const TRUST = ['--tls-verify', '--tls-ca-path', CA, '--tls-sni', 'localhost'];

/** Sends a message from the client's end; returns its port. */
async function swaks(to, ...options) {
  const port = await freePort();
  const from = ['--local-interface', CLIENT, '--local-port', `${port}`];
  const message = ['--from', 'sender@client.example', '--to', 'one@mx.example', '--body', 'Through the proxy'];
  await run('swaks', ['--server', `127.0.0.1:${to}`, '--timeout', '60', ...from, ...message, ...options]);
  return port;
}

/** A recording as one of SMTP, with the PROXY header beside it. */
function withoutHeader({ client, server }) {
  const length = client.startsWith(SIGNATURE) ? 16 + Buffer.from(client, 'latin1').readUInt16BE(14) : client.indexOf('\r\n') + 2;
  return { header: client.slice(0, length), client: client.slice(length), server };
}

/** PROXY protocol 2.2, as far as these scenarios need it: IPv4 only. */
function readV2(header) {
  const octets = Buffer.from(header, 'latin1');
  const command = COMMANDS.get(octets[12]);
  if (command === 'LOCAL') return { command };
  assert.equal(octets[13], 0x11, 'neither TCP nor IPv4');
  const tlvs = [];
  for (let at = 28; at < octets.length; at += 3 + octets.readUInt16BE(at + 1)) tlvs.push(octets[at]);
  return { command, address: octets.subarray(16, 20).join('.'), port: octets.readUInt16BE(24), tlvs: tlvs.sort() };
}
