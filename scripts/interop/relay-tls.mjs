// What a sender asks of TLS (RFC 8689), through `ehlo relay`: by Postfix and Exim, which do not promise to keep to it, by servers of ours that do, and by two
// relays, one behind the other.
import { strict as assert } from 'node:assert';
import { PARAMETERS } from '@ehlo/grammar';
import { connect } from 'ehlo';
import { authority } from './authority.mjs';
import { eximServer } from './exim.mjs';
import { postfix } from './postfix.mjs';
import { freePort, scenario, until } from './stage.mjs';

const HERE = '127.0.0.1';
const CONTENT = 'From: <ann@keeps.example>\r\nSubject: secret\r\n\r\nThe text.\r\n';
/** RFC 8689 3: delivered, whatever certificates say. */
const ANYWAY = `TLS-Required: No\r\n${CONTENT}`;
const REQUIRED = { parameters: { requireTls: true, ret: 'FULL' }, content: CONTENT };

export const relayTlsScenarios = [
  scenario('ehlo relay: REQUIRETLS to Postfix and Exim fails, and the notice keeps to it', refusedByMailers),
  scenario('ehlo relay: REQUIRETLS through two relays, and TLS-Required: No where certificates are wrong', passedOn),
].map((one) => ({ ...one, root: true }));

/** RFC 8689 4.2.1, 5: neither offers REQUIRETLS. */
async function refusedByMailers(stage) {
  const world = new World(stage);
  const { cert, key } = world.certificate(HERE);
  const keeps = await world.server(HERE);
  const simple = await world.server(null);
  const tls = ['smtpd_tls_security_level = may', `smtpd_tls_cert_file = ${cert}`, `smtpd_tls_key_file = ${key}`];
  const mailers = {
    postfix: (await postfix(stage, `smtp:[${HERE}]:${simple.port}`, ['transport_maps =', ...tls])).port,
    exim: await eximServer(stage, simple.port, 'accept', [
      'tls_advertise_hosts = *',
      `tls_certificate = ${cert}`,
      `tls_privatekey = ${key}`,
    ]),
  };
  const relay = await world.relay('one', { ...mailers, keeps: keeps.port, simple: simple.port });
  for (const name of Object.keys(mailers)) {
    await world.send(relay, { from: 'ann@keeps.example', to: `joe@${name}.example`, ...REQUIRED });
    await world.send(relay, { from: 'ann@simple.example', to: `joe@${name}.example`, ...REQUIRED });
    await world.send(relay, { from: 'ann@keeps.example', to: `joe@${name}.example`, content: CONTENT });
  }
  const kept = await arrived(keeps, 2);
  // Where a sender's own server does not keep to it the notice comes all the same (5); what did not ask for TLS has passed both mailers.
  const others = await arrived(simple, 4);
  const [bare, passed] = [others.filter(({ from }) => from === ''), others.filter(({ from }) => from !== '')];
  assert.deepEqual(
    [...kept, ...bare].map(({ from, required, tls }) => [from, required, tls]),
    [...Array(2).fill(['', true, true]), ...Array(2).fill(['', false, false])],
  );
  for (const { content } of [...kept, ...bare]) {
    assert.match(content, /\r\nAction: failed\r\nStatus: 5\.7\.30\r\n/);
    // 5: as if RET=HDRS stood there.
    assert.match(content, /\r\nSubject: secret\r\n/);
    assert.doesNotMatch(content, /The text/);
  }
  assert.deepEqual(passed.map(({ to }) => to).toSorted(), ['joe@exim.example', 'joe@postfix.example']);
}

/** What becomes of a message for each server: 'taken', or the status by which its sender is told. */
const SERVERS = [
  { name: 'good', certificate: HERE, required: 'taken' },
  { name: 'wrong', certificate: 'elsewhere.example', required: '5.7.10' },
  { name: 'stranger', certificate: HERE, isStranger: true, required: '5.7.10' },
  { name: 'clear', certificate: null, required: '5.7.10' },
];

/** RFC 8689 4.2.1, 4.2.2. */
async function passedOn(stage) {
  const world = new World(stage);
  const stranger = authority(stage, 'stranger');
  const keeps = await world.server(HERE);
  const servers = {};
  for (const { name, certificate, isStranger } of SERVERS)
    servers[name] = await world.server(certificate, isStranger ? stranger : world.ca);
  const ports = Object.fromEntries(Object.entries(servers).map(([name, { port }]) => [name, port]));
  const second = await world.relay('two', { ...ports, keeps: keeps.port });
  // The first one knows the second alone, and nothing but verified TLS.
  const first = await world.relay('one', { '*': second }, 'name');
  for (const { name } of SERVERS) {
    await world.send(first, { from: 'ann@keeps.example', to: `joe@${name}.example`, ...REQUIRED });
    await world.send(first, { from: 'ann@keeps.example', to: `may@${name}.example`, content: ANYWAY });
  }
  const refused = SERVERS.filter(({ required }) => required !== 'taken');
  const notices = await arrived(keeps, refused.length);
  const told = notices.map(({ content, required }) => {
    const [, address, status] = /\r\nFinal-Recipient: rfc822; ?(\S+)\r\nAction: failed\r\nStatus: (\S+)\r\n/.exec(content);
    return [address, status, required];
  });
  assert.deepEqual(told.toSorted(), refused.map(({ name, required }) => [`joe@${name}.example`, required, true]).toSorted());
  for (const { name, required, certificate } of SERVERS) {
    const locals = required === 'taken' ? ['joe', 'may'] : ['may'];
    const messages = await arrived(servers[name], locals.length);
    assert.deepEqual(
      messages.map(({ to, required: isRequired, tls }) => [to, isRequired, tls]).toSorted(),
      locals.map((local) => [`${local}@${name}.example`, local === 'joe', certificate !== null]),
    );
  }
}

/** Servers and relays, with certificates of one authority. */
class World {
  ca;
  #stage;
  #count = 0;

  constructor(stage) {
    this.#stage = stage;
    this.ca = authority(stage);
    this.#stage.file('ca.pem', this.ca.cert);
  }

  /** The files of one. */
  certificate(name, by = this.ca) {
    const { cert, key } = by.issue([name]);
    const file = `server-${++this.#count}`;
    return { cert: this.#stage.file(`${file}.crt`, cert), key: this.#stage.file(`${file}.key`, key) };
  }

  /** A server with a certificate for a name; null: without. `taken` is what it was given. */
  async server(name, by = this.ca) {
    const taken = [];
    const message = async ({ envelope: { reversePath, parameters, recipients }, body }, { tls }) => {
      const content = Buffer.from(await body.bytes()).toString('latin1');
      const [{ forwardPath }] = recipients;
      taken.push({
        from: reversePath.address,
        to: forwardPath.address,
        required: parameters.requireTls === true,
        tls: tls !== null,
        content,
      });
      return true;
    };
    const tls = name === null ? {} : { tls: by.issue([name]) };
    const { address } = await this.#stage.serve('sink', { message }, { host: HERE, port: 0, ...tls });
    return { port: address.port, taken };
  }

  /** `ehlo relay`, which gives each domain to a port; resolves with its own. */
  async relay(name, ports, tls = 'opportunistic') {
    const port = await freePort();
    const config = {
      hostname: `${name}.interop.example`,
      postmaster: 'postmaster@keeps.example',
      listeners: [{ kind: 'mx', host: HERE, port, nullMx: false }],
      tls: this.certificate(HERE),
      relayFrom: [HERE],
      routes: Object.entries(ports).map(([domain, at]) => {
        return { to: 'host', domains: [domain === '*' ? domain : `${domain}.example`], hosts: [HERE], port: at, tls };
      }),
      delivery: { preset: 'test', ca: this.#stage.path('ca.pem'), expiry: '5d', noticeExpiry: '5d', delayed: '0s' },
      queue: { kind: 'spool', folder: this.#stage.path(`spool-of-${name}`) },
    };
    await this.#stage.mailer(config, [port]);
    return port;
  }

  /** Over TLS that is verified, as REQUIRETLS asks of who sends, too (4.3). */
  async send(port, { from, to, parameters = {}, content }) {
    const tls = { ca: this.ca.cert, servername: HERE };
    const client = await connect({ host: HERE, port, hostname: 'client.example', starttls: 'required', tls, parameters: PARAMETERS });
    const { outcomes } = await client.send({ reversePath: from, parameters, recipients: [to] }, content);
    await client.close();
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['accepted'],
      JSON.stringify(outcomes),
    );
  }
}

/** All that came, when so many did. */
async function arrived({ taken }, count) {
  await until(`${count} messages`, () => taken.length >= count);
  assert.equal(taken.length, count);
  return taken;
}
