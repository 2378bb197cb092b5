// A TCP relay that records both directions: what was on the wire, whatever the two ends say of it.
import { connect, createServer } from 'node:net';

/** Relays to a port of this machine. `recordings` has one entry for each connection: { client, server, parts }, in latin1; `parts` is how the client's side came. */
export async function startRelay(target) {
  const sessions = [];
  const sockets = new Set();
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const upstream = connect({ host: '127.0.0.1', port: target, allowHalfOpen: true });
    const session = { client: [], server: [] };
    sessions.push(session);
    for (const [from, to, record] of [
      [client, upstream, session.client],
      [upstream, client, session.server],
    ]) {
      sockets.add(from);
      from.setNoDelay(true);
      from.on('data', (bytes) => record.push(bytes));
      from.pipe(to);
      from.on('error', () => to.destroy());
      from.on('close', () => sockets.delete(from));
    }
  });
  await new Promise((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  return {
    port: server.address().port,
    get recordings() {
      const text = (parts) => Buffer.concat(parts).toString('latin1');
      return sessions.map(({ client, server }) => ({
        client: text(client),
        server: text(server),
        parts: client.map((part) => part.toString('latin1')),
      }));
    },
    close() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}
