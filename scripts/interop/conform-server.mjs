// Three servers of ours, as an application would have them, on Node, Deno or Bun: conform-server.mjs CERT KEY. Prints their ports: smtp, submission, lmtp.
import { readFileSync } from 'node:fs';
import { accept, reject, serve } from 'ehlo';
import { login, plain } from 'ehlo/sasl';

const [certFile, keyFile] = process.argv.slice(2);
const tls = { cert: readFileSync(certFile), key: readFileSync(keyFile) };
const MAILBOXES = new Set(['ann', 'bob', 'postmaster']);
/** All that is implemented, but ETRN and FUTURERELEASE, of which each has a kind of server that must not offer it. */
const EXTENSIONS =
  `PIPELINING SIZE 8BITMIME ENHANCEDSTATUSCODES CHUNKING BINARYMIME SMTPUTF8 DSN DELIVERBY MT-PRIORITY RRVS REQUIRETLS LIMITS VRFY EXPN HELP`.split(
    ' ',
  );

const handler = {
  rcpt: ({ forwardPath }) => MAILBOXES.has(forwardPath.localPart.toLowerCase()) || reject(550, '5.1.1', 'No such user'),
  message: async ({ envelope, body }, { protocol }) => {
    for await (const _ of body);
    return protocol.includes('LMTP') ? envelope.recipients.map(() => true) : true;
  },
  info({ verb, argument }) {
    const local = /^<?([^@<>]*)/.exec(argument)[1].toLowerCase();
    if (verb === 'HELP') return accept({ text: 'Commands are those of RFC 5321' });
    if (verb === 'ETRN') return accept({ text: 'the queue is started' });
    if (verb === 'EXPN' || !MAILBOXES.has(local)) return reject(550, '5.1.1', 'No such user');
    return accept({ text: `<${local}@mx.example>` });
  },
};
const auth = { mechanisms: [plain(), login()], lookup: (user) => (user === 'tim' ? 'correct horse' : null) };

const kinds = {
  mx: { tls, auth, extensions: [...EXTENSIONS, 'STARTTLS', 'AUTH', 'ETRN'] },
  submission: {
    tls,
    auth,
    futureRelease: { seconds: 86400, until: '2099-12-31T23:59:59Z' },
    extensions: [...EXTENSIONS, 'STARTTLS', 'AUTH', 'FUTURERELEASE'],
  },
  lmtp: { extensions: EXTENSIONS },
};
const ports = [];
for (const [preset, options] of Object.entries(kinds)) {
  const server = await serve({ port: 0, hostname: 'mx.example', preset, ...options }, handler);
  ports.push(server.address.port);
}
console.log(ports.join(' '));
