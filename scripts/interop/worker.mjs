// The program of a Worker: sends one message, and tells what became of it.
import { connect } from 'cloudflare:sockets';
import { connectOn, fromStreams, VERIFIED_TLS } from '@ehlo/driver';
import { plain } from '@ehlo/sasl';

const ENDS = {
  clear: () => ({}),
  starttls: (socket) => ({ startTls: () => ({ streams: socket.startTls(), tls: VERIFIED_TLS }) }),
  implicit: () => ({ tls: VERIFIED_TLS }),
};
const TRANSPORT = { clear: 'off', starttls: 'starttls', implicit: 'on' };

// biome-ignore lint/style/noDefaultExport: by this the runtime finds it.
export default {
  async fetch(request) {
    const { way, hostname, port, options, octets } = await request.json();
    try {
      const socket = connect({ hostname, port }, { secureTransport: TRANSPORT[way], allowHalfOpen: true });
      const { password, ...given } = options;
      const auth = password === undefined ? {} : { auth: { mechanisms: [plain()], user: 'joe', password } };
      const client = await connectOn(fromStreams(socket, ENDS[way](socket)), { hostname: 'worker.example', ...auth, ...given });
      const { outcomes, error } = await client.send(
        { reversePath: 'joe@client.example', recipients: ['ann@mx.example'] },
        `Subject: from a Worker\r\n\r\n${'a line\r\n'.repeat(octets / 8)}`,
      );
      await client.close();
      return Response.json({ status: outcomes[0].status, error: error === null ? null : String(error) });
    } catch (error) {
      return Response.json({ code: error.code ?? String(error) });
    }
  },
};
