// A server for users of one's own, as on port 587: who has authenticated sends in his own name. `node examples/submission-with-users.mjs`, or by Deno or Bun.
import { ClientError, connect, mailboxKey, outcomeText, reject, serve } from 'ehlo';
import { plain, scram, scramKeys } from 'ehlo/sasl';

const salt = () => crypto.getRandomValues(new Uint8Array(16));
/** What is stored is keys: the password is not among them, and does not follow from them. */
const users = new Map([['ann', scramKeys('correct horse', { salt: salt() })]]);
const addresses = new Map([['ann@example.org', 'ann']]);

// Elsewhere than on one machine: `host: '::', port: 587, tls: { key, cert }, starttls: 'required'`.
const server = await serve(
  {
    port: 0,
    hostname: 'mail.example.org',
    preset: 'submission',
    auth: { mechanisms: [scram(), plain()], lookup: (user) => users.get(user) },
  },
  {
    // RFC 6409 6.1: a submission server may refuse an address that is not the user's.
    mail: ({ reversePath }, { identity }) =>
      (reversePath !== null && addresses.get(mailboxKey(reversePath)) === identity) || reject(550, '5.7.1', 'not an address of yours'),
    rcpt: () => true, // to anybody: that is what users come for
    async message({ envelope, body }, { identity, protocol }) {
      const { length } = await body.bytes();
      console.log(`${length} octets of ${identity} by ${protocol} for ${envelope.recipients[0].forwardPath.address}`);
      return true;
    },
  },
);

const { port } = server.address;
const message = 'From: ann@example.org\r\nSubject: hello\r\n\r\n';
/** Without TLS, as here on one machine, a password is used only where `credentials` says so. */
const options = (password) => ({
  port,
  credentials: 'cleartext',
  auth: { mechanisms: [scram(), plain()], user: 'ann', password },
});

const client = await connect(options('correct horse'));
for (const reversePath of ['ann@example.org', 'joe@example.org']) {
  const { outcomes } = await client.send({ reversePath, recipients: ['bob@example.net'] }, message);
  console.log(`${client.authenticated}, ${reversePath}: ${outcomes[0].status}, ${outcomeText(outcomes[0])}`);
}
await client.close();

try {
  await connect(options('wrong horse'));
} catch (error) {
  if (!(error instanceof ClientError)) throw error;
  console.log(error.code, error.reply.code);
}

const stranger = await connect({ port });
const { outcomes } = await stranger.send({ reversePath: 'ann@example.org', recipients: ['bob@example.net'] }, message);
console.log(`nobody: ${outcomes[0].status}, ${outcomeText(outcomes[0])}`);
await stranger.close();
await server.close();
