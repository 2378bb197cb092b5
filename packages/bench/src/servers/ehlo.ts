// This server: asked for every recipient, strict about line ends (the preset `mx`), each message read and dropped.
import { serve } from 'ehlo';
import { listening, received } from './report.ts';

const server = await serve(
  // One connection carries more messages here than any session does elsewhere.
  { port: 0, hostname: 'bench.example', preset: 'mx', limits: { transactions: 999_999_999, idleCommands: 999_999_999 } },
  {
    rcpt: () => true,
    async message({ body }) {
      for await (const bytes of body) received.octets += bytes.length;
      received.messages++;
      return true;
    },
  },
);
listening(server.address.port);
