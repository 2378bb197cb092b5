// A token that expires: it is asked for anew for each connection, and refreshed where the server refuses it. `node examples/oauth-refresh.mjs`, or by Deno or Bun.
import { ClientError, connect, reject, serve } from 'ehlo';
import { oauthBearer } from 'ehlo/sasl';

/** Which token the server takes now: each is good for one connection, to show what happens. */
let valid = 1;
const server = await serve(
  {
    port: 0,
    hostname: 'mx.example.org',
    preset: 'sink',
    auth: {
      mechanisms: [oauthBearer()],
      verify: ({ user, token }) => {
        if (token.expose() === `token-${valid}`) return user;
        return reject(535, '5.7.8', 'the token has expired', { oauth: { status: 'invalid_token' } });
      },
    },
  },
  { message: async ({ body }) => (await body.bytes()).length > 0 },
);

/** The token that was got last. What gets one from the authorization server stands here, with its refresh token. */
let token = 'token-1';
let refreshed = 0;
async function refresh() {
  refreshed++;
  token = `token-${valid}`;
}

/** A session, with the token that there is, or with a new one. */
async function open() {
  const options = {
    port: server.address.port,
    credentials: 'cleartext',
    auth: { mechanisms: [oauthBearer()], user: 'ann', token: () => token },
  };
  try {
    return await connect(options);
  } catch (error) {
    // Anything else, such as 454, says nothing of the token.
    if (!(error instanceof ClientError && error.code === 'auth-refused' && error.reply.code >= 500)) throw error;
    await refresh();
    return await connect(options);
  }
}

for (let day = 1; day <= 3; day++) {
  const client = await open();
  const { outcomes } = await client.send(
    { reversePath: 'ann@example.org', recipients: ['bob@example.org'] },
    `Subject: day ${day}\r\n\r\n`,
  );
  console.log(`day ${day}: ${outcomes[0].status}, ${client.authenticated}, refreshed ${refreshed} times`);
  await client.close();
  valid = day + 1;
}
await server.close();
