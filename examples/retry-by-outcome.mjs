// What to do with each recipient, by what became of it. `node examples/retry-by-outcome.mjs`, or by Deno or Bun.
import { connect, isRetryable, outcomeText, reject, serve } from 'ehlo';

let tries = 0;
const server = await serve(
  { port: 0, hostname: 'mx.example.org', preset: 'sink' },
  {
    rcpt({ forwardPath, envelope }) {
      if (forwardPath.localPart === 'nobody') return reject(550, '5.1.1', 'no such user');
      if (forwardPath.localPart === 'greylisted' && tries++ === 0) return reject(451, '4.7.1', 'come again');
      return envelope.recipients.length < 2 || reject(452, '4.5.3', 'too many recipients');
    },
    message: async ({ body }) => (await body.bytes()).length > 0,
  },
);

/** Sends until nobody is left whom it makes sense to send to. `wait` is what a queue does: it keeps the message, and comes again. */
async function deliver(recipients, message, wait) {
  for (let left = recipients, attempt = 1; left.length > 0 && attempt <= 5; attempt++) {
    const client = await connect({ port: server.address.port });
    const { outcomes } = await client.send({ reversePath: 'ann@example.org', recipients: left }, message());
    await client.close();
    for (const outcome of outcomes) {
      const { recipient, status, retry, reason } = outcome;
      console.log(`${attempt} ${recipient} ${status}: ${outcomeText(outcome)}; ${retry}, ${reason}`);
    }
    // What is unknown may have arrived: it would come twice.
    const again = outcomes.filter(isRetryable);
    left = again.map(({ recipient }) => recipient);
    if (again.some(({ retry }) => retry === 'later')) await wait();
  }
}

// A stream serves one transaction: whom a second would be for is unsent, and may be sent to at once.
function* letter() {
  yield 'Subject: hello\r\n\r\n';
  for (let line = 0; line < 30_000; line++) yield `This is line ${line} of a letter.\r\n`;
  for (let line = 0; line < 30_000; line++) yield `This is line ${line} of its appendix.\r\n`;
}

await deliver(['joe@example.org', 'nobody@example.org', 'greylisted@example.org', 'eve@example.org', 'bob@example.org'], letter, async () =>
  console.log('half an hour passes (RFC 5321 4.5.4.1)'),
);
await server.close();
