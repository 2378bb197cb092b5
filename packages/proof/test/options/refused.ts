// Mistakes that were made by people, which TypeScript refuses: compiled, and never run.
import { type Client, connect, type Handler, Pool, reject, type ServeOptions, serve } from '../../../node/src/index.ts';
import { plain, scram } from '../../../sasl/src/index.ts';

declare const client: Client;
declare const key: string;
const handler: Handler = { rcpt: () => true };
const user = 'joe';
const password = 'pencil';
const tls = { key, cert: key };

export const connecting = [
  () => connect({ auth: { mechanisms: [scram(), plain()], user, password } }),
  // @ts-expect-error: a mechanism is made by a call
  () => connect({ auth: { mechanisms: [plain], user, password } }),
  // @ts-expect-error: names are for those who carry them out
  () => connect({ auth: { mechanisms: ['PLAIN'], user, password } }),
  // @ts-expect-error: nobody knows how to authenticate
  () => connect({ auth: { user, password } }),
  // @ts-expect-error: the variable of the environment may not be set
  () => connect({ auth: { mechanisms: [plain()], user, password: process.env.PASSWORD } }),
  // @ts-expect-error: it is `required`
  () => connect({ starttls: 'require' }),
  // @ts-expect-error: it is a word
  () => connect({ starttls: true }),
  // @ts-expect-error: it is `implicitTls`
  () => connect({ secure: true }),
  // @ts-expect-error: it is `implicitTls`
  () => connect({ implicitTLS: true }),
  // @ts-expect-error: it is `host`
  () => connect({ hst: 'mx.example.net' }),
  // @ts-expect-error: options are an object
  () => connect('mx.example.net'),
  // @ts-expect-error: a pool opens its connections by a function
  () => new Pool({ host: 'mx.example.net' }),
  // @ts-expect-error: that function returns a client
  () => new Pool(() => ({ host: 'mx.example.net' })),
];

const envelope = { reversePath: 'joe@example.org', recipients: ['ann@example.net'] };

export const sending = [
  () => client.send(envelope, 'Subject: x\r\n\r\nx\r\n'),
  // @ts-expect-error: a message is a text, octets, a stream, or a function
  () => client.send(envelope, { subject: 'x' }),
  // @ts-expect-error: it is `reversePath` and `recipients`
  () => client.send({ from: 'joe@example.org', to: 'ann@example.net' }, 'x'),
  // @ts-expect-error: recipients are a list
  () => client.send({ ...envelope, recipients: 'ann@example.net' }, 'x'),
  // @ts-expect-error: parameters stand in `parameters`
  () => client.send({ ...envelope, recipients: [{ forwardPath: 'ann@example.net', notify: ['FAILURE'] }] }, 'x'),
  // @ts-expect-error: it is `facts`
  () => client.send(envelope, 'x', { fact: { size: 1 } }),
];

const options: ServeOptions = { hostname: 'mx.example.org', tls };

export const serving = [
  () => serve(options, handler),
  // @ts-expect-error: a name has to be given
  () => serve({ port: 25 }, handler),
  // @ts-expect-error: it is `limits.messageSize`
  () => serve({ ...options, size: 5 }, handler),
  // @ts-expect-error: it is `offered` or `required`
  () => serve({ ...options, starttls: true }, handler),
  // @ts-expect-error: a mechanism is made by a call
  () => serve({ ...options, auth: { mechanisms: [plain], lookup: () => password } }, handler),
  // @ts-expect-error: it is `message`
  () => serve(options, { onData: () => true }),
  // @ts-expect-error: it is `rcpt`
  () => serve(options, { rcptTo: () => true }),
  // @ts-expect-error: silence is no consent
  () => serve(options, { rcpt: () => undefined }),
  // @ts-expect-error: an error that is returned decides nothing
  () => serve(options, { rcpt: () => new Error('no such user') }),
  // @ts-expect-error: a refusal has a code that is a number
  () => serve(options, { rcpt: () => reject('550', '5.1.1', 'no such user') }),
];
