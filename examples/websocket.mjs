// SMTP over a WebSocket, with the library `ws`: each write is a binary frame. `node examples/websocket.mjs`, or by Deno or Bun.
import { once } from 'node:events';
import { connectOn, Inbox, serveOn } from '@ehlo/driver';
import { WebSocket, WebSocketServer } from 'ws';

/** Octets that may wait in a socket before the session is told to stop. */
const HIGH_WATER = 65_536;

/** A WebSocket as a transport. It has no half-close: who has said everything closes it, and then it is gone. */
function webSocketTransport(socket) {
  const inbox = new Inbox();
  socket.binaryType = 'arraybuffer';
  socket.on('message', (data) => inbox.data(new Uint8Array(data)));
  socket.on('close', () => inbox.lost());
  socket.on('error', () => {}); // followed by close
  return {
    peer: { address: '', port: 0 },
    local: { address: '', port: 0 },
    unwritten: 0,
    start(sink) {
      inbox.attach(sink);
      this.resume();
    },
    write(bytes) {
      this.unwritten += bytes.length;
      socket.send(bytes, (error) => {
        if (error) return;
        this.unwritten -= bytes.length;
        if (this.unwritten === 0) inbox.drained();
      });
      return this.unwritten < HIGH_WATER;
    },
    pause() {
      inbox.pause();
      socket.pause();
    },
    resume() {
      inbox.resume();
      socket.resume();
    },
    close() {
      inbox.close();
      socket.resume();
      socket.close();
    },
    abort() {
      inbox.stop();
      socket.terminate();
    },
  };
}

const web = new WebSocketServer({ host: '127.0.0.1', port: 0 });
await once(web, 'listening');
const { port } = web.address();
const listener = {
  address: { address: '127.0.0.1', port },
  accept: (connected) => void web.on('connection', (socket) => connected(webSocketTransport(socket))),
  close: () => new Promise((resolve) => web.close(() => resolve())),
};
const server = serveOn(
  listener,
  { hostname: 'mx.example.org', preset: 'sink' },
  {
    async message({ envelope, body }) {
      console.log(`${(await body.bytes()).length} octets for ${envelope.recipients[0].forwardPath.address}`);
      return true;
    },
  },
);
const socket = new WebSocket(`ws://127.0.0.1:${port}`);
// Before it is open: the greeting may come along with the upgrade.
const transport = webSocketTransport(socket);
await once(socket, 'open');
const client = await connectOn(transport, { hostname: 'client.example' });
const lines = (count) => Array.from({ length: count }, (_, i) => `line ${i}\r\n`);
const { outcomes } = await client.send({ reversePath: 'joe@client.example', recipients: ['ann@example.org'] }, [
  'Subject: long\r\n\r\n',
  ...lines(100_000),
]);
console.log(outcomes[0].status);
await client.close();
await server.close();
