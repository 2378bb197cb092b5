// nginx's mail proxy stands in front of us, and says by XCLIENT whose connection it brings, and who has authenticated.
import { strict as assert } from 'node:assert';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { run } from './clients.mjs';
import { judge } from './judge.mjs';
import { NGINX_MAIL } from './programs.mjs';
import { converse, freePort, scenario, storedBy } from './stage.mjs';

/** The client's end: another address than that of the proxy. */
const CLIENT = '127.0.0.9';
const USER = 'tim';

export const nginxScenarios = [
  scenario('nginx: XCLIENT, no authentication', (stage) => proxied(stage, [], null)),
  scenario('nginx: XCLIENT with LOGIN', (stage) =>
    proxied(stage, ['--auth', 'PLAIN', '--auth-user', USER, '--auth-password', 'secret'], USER),
  ),
  scenario('nginx: its client cannot speak XCLIENT for himself', passedOn),
  scenario('nginx: XCLIENT is refused to who is not named', refused),
];

async function proxied(stage, options, identity) {
  const server = await stage.server('--raw', '--trust-xclient', '127.0.0.1');
  const relay = await stage.relay(server.port);
  const front = await nginx(stage, relay.port);
  await swaks(front, '--pipeline', ...options);
  const [message] = await storedBy(server);
  // It does not tell the client's port: the one of its own connection is not taken for it.
  assert.deepEqual(message.peer, { address: CLIENT, port: 0 });
  assert.equal(message.identity, identity);
  assert.equal(message.protocol, identity === null ? 'ESMTP' : 'ESMTPA');
  assert.equal(judge(relay.recordings, server, true), 1);
  assert.match(relay.recordings[0].client, new RegExp(`^XCLIENT .*ADDR=${CLIENT}`, 'm'));
  const connected = server.events('connected').map(({ address }) => address);
  assert.deepEqual(connected, ['127.0.0.1', CLIENT]);
}

/** Behind its own XCLIENT the proxy passes on what the client says. */
async function passedOn(stage) {
  const server = await stage.server('--raw', '--trust-xclient', '127.0.0.1', '--trust-xforward', '127.0.0.1');
  const front = await nginx(stage, server.port);
  const envelope = ['EHLO client.example', 'MAIL FROM:<sender@client.example>', 'RCPT TO:<one@mx.example>'];
  for (const forged of ['XCLIENT LOGIN=root', 'XFORWARD ADDR=192.0.2.1']) {
    await assert.rejects(converse(front, [...envelope, 'RSET', forged]), /was answered 502 /);
  }
  await assert.rejects(converse(front, [...envelope, 'RSET', 'EHLO client.example', 'XCLIENT LOGIN=root']), /was answered 502 /);
  await server.stop();
}

async function refused(stage) {
  const server = await stage.server('--raw', '--trust-xclient', '192.0.2.1');
  const front = await nginx(stage, server.port);
  await assert.rejects(swaks(front), /<\*\* 502 |<\*\* 4[0-9]{2} /);
  assert.deepEqual(await storedBy(server), []);
}

/** Starts it in front of a port, with a server that tells it whither, and lets everybody in; returns its port. */
async function nginx(stage, target) {
  const guide = createServer((_, response) => {
    response.writeHead(200, { 'Auth-Status': 'OK', 'Auth-Server': '127.0.0.1', 'Auth-Port': `${target}` }).end();
  }).listen(0, '127.0.0.1');
  await once(guide, 'listening');
  stage.later(() => new Promise((resolve) => guide.close(resolve)));
  const port = await freePort();
  const config = stage.file(
    'nginx.conf',
    `
load_module ${NGINX_MAIL};
daemon off;
master_process off;
pid ${stage.path('nginx.pid')};
error_log stderr info;
events {}
mail {
  server_name nginx.interop.example;
  auth_http 127.0.0.1:${guide.address().port}/;
  proxy_pass_error_message on;
  xclient on;
  smtp_auth plain none;
  smtp_capabilities PIPELINING 8BITMIME;
  server {
    listen 127.0.0.1:${port};
    protocol smtp;
  }
}
`,
  );
  await stage.daemon('nginx', ['-c', config, '-e', 'stderr', '-p', stage.folder], [port]);
  return port;
}

function swaks(to, ...options) {
  const message = ['--from', 'sender@client.example', '--to', 'one@mx.example'];
  return run('swaks', ['--server', `127.0.0.1:${to}`, '--timeout', '60', '--local-interface', CLIENT, ...message, ...options]);
}
