// A server, and a client, that a test drives: Node, Deno or Bun runs this file as it is, with `ehlo` as it is built. A line in asks for something, a
// line out is the answer or an event, in JSON. Its clients say what they want of it by the names in their commands.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import * as ehlo from 'ehlo';
import { parseProxy } from 'ehlo/proxy';
import { plain, scram } from 'ehlo/sasl';

const { ServerTls, serve } = ehlo;

/** Which adapter `ehlo` is here: the one whose `serve` it has. */
const adapter = await nameOf(serve);

const { certs, unix = null, reloadable = false, requestCert = false, proxied = false, ...options } = JSON.parse(process.argv[2]);
const pem = (name) => readFileSync(`${certs}/${name}`, 'latin1');
const pair = (name) => ({ key: pem(`${name}.key`), cert: pem(`${name}.crt`) });
const settings = requestCert ? { ...pair('server'), requestCert, ca: pem('ca.crt') } : pair('server');
const tls = reloadable ? new ServerTls({ ...settings, certificates: [{ ...pair('other'), servernames: ['other.example'] }] }) : settings;

const tell = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
const hex = (octets) => Array.from(octets, (octet) => octet.toString(16).padStart(2, '0')).join('');

/** Who waits for the gate. */
const waiting = [];
const gate = () => new Promise((resolve) => waiting.push(resolve));

const handler = {
  hello(_, { tls: secure, peer, id }) {
    const bindings = secure && Object.fromEntries(Array.from(secure.bindings, ([type, octets]) => [type, hex(octets)]));
    tell({ event: 'hello', id, peer, tls: secure && { ...secure, bindings } });
    return true;
  },
  mail({ reversePath }) {
    tell({ event: 'mail', from: reversePath.address });
    return true;
  },
  /** `wait@…` is decided on when the gate is open. */
  rcpt({ forwardPath }) {
    if (forwardPath.localPart !== 'wait') return true;
    tell({ event: 'rcpt' });
    return gate().then(() => true);
  },
  /** The sender `slow@…` is not read before the gate is open. The answer says what was read. */
  async message({ envelope, body }, { identity }) {
    tell({ event: 'message', identity });
    if (envelope.reversePath.localPart === 'slow') await gate();
    const hash = createHash('sha256');
    let size = 0;
    try {
      for await (const bytes of body) {
        hash.update(bytes);
        size += bytes.length;
      }
    } catch (error) {
      tell({ event: 'aborted', cause: error.code });
      throw error;
    }
    return ehlo.accept({ text: `${size} ${hash.digest('hex')}` });
  },
  info: ({ argument }) => ehlo.accept({ text: `${argument} ${'x'.repeat(200)}` }),
  notice(notice) {
    if (notice.type === 'closed') tell({ event: 'closed', cause: notice.cause });
    if (notice.type === 'fault') tell({ event: 'fault', code: notice.code });
  },
  error: (error) => tell({ event: 'error', message: String(error) }),
};

const mechanisms = [...scram(), ...[plain()].flat()];
const auth = { mechanisms, lookup: (user) => (user === 'joe' ? 'pencil' : null) };
const stray = (_, reason) => tell({ event: 'stray', reason });
const proxy = proxied ? { proxy: parseProxy } : {};
const base = { port: 0, hostname: 'mx.example.org', preset: 'sink', auth, stray, ...proxy, ...options };
const servers = [await serve({ ...base, tls }, handler), await serve({ ...base, tls, implicitTls: true }, handler)];
if (unix !== null) servers.push(await serve({ ...base, port: undefined, path: unix, mode: 0o600, tls }, handler));

const commands = {
  open() {
    for (const resolve of waiting.splice(0)) resolve();
  },
  sessions: () => servers.reduce((sum, server) => sum + server.connections, 0),
  /** Sessions, and connections that linger behind theirs. */
  held: () => servers.reduce((sum, server) => sum + server.connections + server.lingering, 0),
  memory: () => process.memoryUsage().rss,
  /** What is left on the heap when all is collected that can be. */
  heap() {
    // To V8, true would mean the young ones only.
    if (globalThis.Bun) globalThis.Bun.gc(true);
    else globalThis.gc();
    return process.memoryUsage().heapUsed;
  },
  reload: () => tls.update(pair('other')),
  /** Sends a message of many parts, which come as the connection takes them, and tells the outcomes and what the message was. */
  async send({ port, security, parts, password }) {
    const hash = createHash('sha256');
    const part = new TextEncoder().encode(`.${'dots and text '.repeat(70)}\r\n`.repeat(66));
    async function* message() {
      for (let i = 0; i < parts; i++) {
        hash.update(part);
        yield part;
      }
    }
    const client = await ehlo.connect({
      port,
      ...(password === undefined ? {} : { auth: { mechanisms, user: 'joe', password } }),
      ...securedBy(security),
    });
    const { outcomes, error } = await client.send({ reversePath: 'one@client.example', recipients: ['two@mx.example'] }, message);
    const { tls: secure, authenticated } = client;
    await client.close();
    return { outcomes, error, secure: secure?.protocol ?? null, authenticated, said: `${parts * part.length} ${hash.digest('hex')}` };
  },
  /** What becomes of a connection, and of a message over it: the error of either, the outcomes, and how many parts were asked for. */
  async attempt({ port, security, parts, limits }) {
    const part = new TextEncoder().encode(`${'text '.repeat(13_107)}\r\n`.replaceAll(/(.{900})/g, '$1\r\n'));
    let taken = 0;
    async function* message() {
      for (; taken < parts; taken++) yield part;
    }
    const codeOf = (error) => error && { code: error.code, stage: error.stage };
    try {
      const client = await ehlo.connect({ port, limits, hostname: 'client.example', ...securedBy(security) });
      const { outcomes, error } = await client.send({ reversePath: 'one@client.example', recipients: ['two@mx.example'] }, message);
      client.abort();
      return { outcomes, error: codeOf(error), taken };
    } catch (error) {
      return { outcomes: [], error: codeOf(error), taken };
    }
  },
  /** Connects and sends a message, and gives it up at each notice of it, in one turn after the other. How many notices there were. */
  async abort({ port, security }) {
    for (const later of [(call) => call(), queueMicrotask, process.nextTick, setImmediate])
      for (let at = 0, seen = 0; at <= seen; at++) {
        const controller = new AbortController();
        seen = 0;
        const notice = () => void (seen++ === at && later(() => controller.abort()));
        const { signal } = controller;
        await ehlo
          .connect({ port, signal, trace: true, notice, ...securedBy(security) })
          .then((client) => client.send({ reversePath: 'a@client.example', recipients: ['b@mx.example'] }, 'x').then(() => client.close()))
          .catch((error) => {
            if (error.code !== 'aborted') throw error;
          });
      }
    return true;
  },
  /** The code and the words of a connection that fails. */
  fail: ({ port, ...how }) =>
    ehlo.connect({ port, ...how }).then(
      (client) => client.close(),
      ({ name, code, message }) => ({ name, code, message }),
    ),
  close: () => Promise.all(servers.map((server) => server.close())).then(() => true),
};

tell({ ports: servers.map(({ address }) => address.port), adapter });
for await (const line of createInterface({ input: process.stdin })) {
  // Not awaited: what takes its time must not keep the next command waiting.
  const [, command, argument] = /^([a-z]+) ?(.*)$/.exec(line);
  void Promise.resolve()
    .then(() => commands[command](argument === '' ? undefined : JSON.parse(argument)))
    .then(
      (answer) => tell({ answer: answer ?? null, to: command }),
      (error) => tell({ answer: { failed: String(error?.stack ?? error) }, to: command }),
    );
}
process.exit(0);

function securedBy(security) {
  if (security === 'in clear') return { starttls: 'off' };
  const how = security === 'STARTTLS' ? { starttls: 'required' } : { implicitTls: true };
  return { ...how, tls: { ca: pem('ca.crt'), servername: 'localhost' } };
}

async function nameOf(wanted) {
  for (const name of ['node', 'deno', 'bun']) if ((await import(`../../../${name}/dist/index.js`)).serve === wanted) return name;
}
