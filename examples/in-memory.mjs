// A transport of one's own: a connection that is nothing but memory. `node examples/in-memory.mjs`, or by Deno or Bun.
import { connectOn, Inbox, serveOn } from '@ehlo/driver';

/** One of two ends. `Inbox` keeps back what comes while the session pauses. */
class MemoryEnd {
  peer = { address: '', port: 0 };
  local = { address: '', port: 0 };
  inbox = new Inbox();
  other = null;
  /** What is written is the other end's at once. */
  unwritten = 0;

  static pair() {
    const [a, b] = [new MemoryEnd(), new MemoryEnd()];
    [a.other, b.other] = [b, a];
    return [a, b];
  }

  start(sink) {
    this.inbox.attach(sink);
    this.resume();
  }

  /** False while the other end does not read: that is all there is to back-pressure. */
  write(bytes) {
    const { inbox } = this.other;
    queueMicrotask(() => inbox.data(bytes));
    return !inbox.paused;
  }

  pause() {
    this.inbox.pause();
  }

  resume() {
    this.inbox.resume();
    queueMicrotask(() => this.other.inbox.drained());
  }

  close() {
    this.inbox.stop();
    queueMicrotask(() => this.other.inbox.end());
  }

  abort() {
    this.inbox.stop();
    queueMicrotask(() => this.other.inbox.lost());
  }
}

const [here, there] = MemoryEnd.pair();
const listener = {
  address: here.local,
  accept: (connected) => connected(there),
  close: async () => {},
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
const client = await connectOn(here, { hostname: 'client.example' });
const { outcomes } = await client.send(
  { reversePath: 'joe@client.example', recipients: ['ann@example.org'] },
  'Subject: hello\r\n\r\nNo socket was opened for this.\r\n',
);
console.log(outcomes[0].status);
await client.close();
await server.close();
