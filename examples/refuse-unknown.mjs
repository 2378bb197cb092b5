// Recipients that nobody has are refused while the client waits. `node examples/refuse-unknown.mjs`, or by Deno or Bun.
import { connect, mailboxKey, outcomeText, reject, serve } from 'ehlo';

// Every server takes mail for its postmaster (RFC 5321 4.5.1).
const users = new Set(['joe@example.org', 'postmaster@example.org', 'postmaster']);

const server = await serve(
  { port: 0, hostname: 'mx.example.org', preset: 'mx' },
  {
    rcpt({ forwardPath }) {
      // The key has the domain in lower case, as well as postmaster; elsewhere case may mean something.
      if (users.has(mailboxKey(forwardPath))) return true;
      // Mail for domains of others is not ours to pass on: whoever asks would send by us.
      if (!mailboxKey(forwardPath).endsWith('@example.org')) return reject(550, '5.7.1', 'no relaying');
      return reject(550, '5.1.1', 'no such user');
    },
    message: async ({ body }) => (await body.bytes()).length > 0,
  },
);

const client = await connect({ port: server.address.port });
const recipients = ['joe@EXAMPLE.org', 'Postmaster@example.org', 'eve@example.org', 'joe@other.example'];
const { outcomes } = await client.send({ reversePath: 'ann@client.example', recipients }, 'Subject: hello\r\n\r\n');
for (const outcome of outcomes) console.log(`${outcome.recipient} ${outcome.status}: ${outcomeText(outcome)}`);
await client.close();
await server.close();
