// One program for servers that want a login and for those that have none. `node examples/log-in-where-offered.mjs`, or by Deno or Bun.
import { ClientError, connect, serve } from 'ehlo';
import { plain, scram } from 'ehlo/sasl';

const handler = { message: async ({ body }) => (await body.bytes()).length > 0 };
const auth = { mechanisms: [scram(), plain()], lookup: (user) => (user === 'ann' ? 'correct horse' : null) };
const servers = await Promise.all(
  [{ auth }, {}].map((options) => serve({ port: 0, hostname: 'mx.example.org', preset: 'sink', ...options }, handler)),
);

async function send(port, password) {
  // Without TLS, as here on one machine, a password is sent only where this says so.
  const client = await connect({ port, credentials: 'cleartext' });
  try {
    // What is offered is known now. A refusal is an error, and the session goes on: here, without a login.
    if (client.capabilities.extensions.has('AUTH')) await client.authenticate({ mechanisms: [scram(), plain()], user: 'ann', password });
  } catch (error) {
    if (!(error instanceof ClientError && error.code === 'auth-refused')) throw error;
    console.log(error.message);
  }
  const { outcomes } = await client.send({ reversePath: 'ann@example.org', recipients: ['bob@example.org'] }, 'Subject: hello\r\n\r\n');
  console.log(client.authenticated, outcomes[0].status);
  await client.close();
}

const [closed, open] = servers.map(({ address }) => address.port);
await send(closed, 'correct horse');
await send(closed, 'wrong horse');
await send(open, 'correct horse');
await Promise.all(servers.map((server) => server.close()));
