// What preset mx refuses: a message with a bare LF, by a socket that sends octets as they are.
import { strict as assert } from 'node:assert';
import { once } from 'node:events';
import { connect } from 'node:net';
import { judge } from './judge.mjs';
import { startRelay } from './relay.mjs';
import { startServer } from './server.mjs';

const PATIENCE = 30_000;
const OPEN = ['MAIL FROM:<sender@client.example>\r\n', 'RCPT TO:<one@mx.example>\r\n', 'DATA\r\n'];

/** RFC 5321 2.3.8: the message is refused by its line, nothing is stored, and the session goes on. */
export async function bareLineFeed() {
  const server = await startServer('--preset', 'mx', '--raw');
  const relay = await startRelay(server.port);
  try {
    const socket = connect(relay.port, '127.0.0.1');
    await talk(socket, '', /^220 /);
    await talk(socket, 'EHLO client.example\r\n', /^250 /m);
    for (const line of OPEN) await talk(socket, line, /^(250|354) /);
    const refused = await talk(socket, 'Subject: bare\r\n\r\nthird\r\nfourth\nfifth\r\n.\r\n', /^[2-5]\d\d /);
    assert.match(refused, /^550 5\.6\.0 Line 4 .*\r\n$/);
    assert.deepEqual(server.list('new'), []);
    for (const line of OPEN) await talk(socket, line, /^(250|354) /);
    await talk(socket, 'Subject: whole\r\n\r\nthird\r\nfourth\r\nfifth\r\n.\r\n', /^250 2\.6\.0 /);
    await talk(socket, 'QUIT\r\n', /^221 /);
    socket.destroy();
    assert.equal(await server.stop(), 0, server.errors);
    assert.equal(judge(relay.recordings, server, true), 1);
  } finally {
    await server.stop();
    await relay.close();
    server.remove();
  }
}

/** Sends, and waits for one whole reply that fits. */
async function talk(socket, text, pattern) {
  const signal = AbortSignal.timeout(PATIENCE);
  if (text !== '') socket.write(text);
  let reply = '';
  while (!/^\d{3} .*\r\n$/m.test(reply)) reply += (await once(socket, 'data', { signal }))[0].toString('latin1');
  assert.match(reply, pattern);
  return reply;
}
