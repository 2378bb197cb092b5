// A message that is signed for each transaction, by a library for DKIM. `node examples/dkim-signer.mjs`, or by Deno or Bun.
import { generateKeyPairSync } from 'node:crypto';
import { Readable } from 'node:stream';
import { connect, reject, serve } from 'ehlo';
import DKIM from 'nodemailer/lib/dkim';

const encoding = { publicKeyEncoding: { type: 'spki', format: 'pem' }, privateKeyEncoding: { type: 'pkcs8', format: 'pem' } };
const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048, ...encoding });

/** The letter, piece by piece; nothing of it is kept here. */
async function* letter() {
  yield 'From: Ann <ann@example.org>\r\nTo: Joe <joe@example.net>\r\nSubject: signed\r\nDate: Fri, 27 Nov 2026 09:00:00 +0000\r\n';
  yield 'Message-ID: <1@example.org>\r\n\r\n';
  for (let line = 1; line <= 2000; line++) yield `.${line}  a line,\twith  white space \r\n`;
  yield '\r\n\r\n';
}

/** Signs in the name of the sender's domain. What a signature binds of the envelope, as DKIM2 does, is in `transaction` to the octet. */
const signed = {
  facts: { body: '7BIT' },
  content(transaction) {
    const [reversePath, ...recipients] = [transaction.reversePath, ...transaction.recipients].map((path) => new TextDecoder().decode(path));
    console.log(`signed for ${reversePath} to ${recipients.join(' ')}`);
    const domainName = reversePath.slice(reversePath.lastIndexOf('@') + 1, -1);
    return new DKIM({ domainName, keySelector: 'key1', privateKey }).sign(Readable.from(letter()));
  },
};

const server = await serve(
  { port: 0, hostname: 'mx.example.net', preset: 'sink' },
  {
    rcpt: ({ envelope }) => envelope.recipients.length < 2 || reject(452, '4.5.3', 'too many recipients'),
    async message({ body }) {
      console.log(JSON.stringify({ publicKey, message: new TextDecoder('latin1').decode(await body.bytes()) }));
      return true;
    },
  },
);
const client = await connect({ port: server.address.port });
const recipients = ['joe@example.net', '"a b"@example.net', 'eve@example.net'];
const { outcomes } = await client.send({ reversePath: 'ann@example.org', recipients }, signed);
console.log(outcomes.map(({ status }) => status).join(' '));
await client.close();
await server.close();
