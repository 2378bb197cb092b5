// What a relay of ours makes of the world: names behind a resolver that validates, servers whose TLS is right and wrong, policies, and Postfix and Exim.
import { strict as assert } from 'node:assert';
import { createServer } from 'node:https';
import { Dispatcher, deliverySettings, newJob } from '@ehlo/delivery';
import { dnsLookup, MemoryQueue, Runner, wallClock } from '@ehlo/relay';
import { outbound } from '@ehlo/relay/outbound';
import { connect } from 'ehlo';
import { authority, tlsa } from './authority.mjs';
import { scenario, until } from './stage.mjs';
import { zones } from './zones.mjs';

const TEXT = 'Subject: hello\r\n\r\ntext\r\n';
const GONE = 'gone';

export const outboundScenarios = [
  scenario('Relay: DANE by zones that are signed, unbound validates', dane),
  scenario('Relay: MTA-STS, unbound resolves', sts),
].map((one) => ({ ...one, root: true }));

/**
 * What becomes of a message for each domain: `gone`, the category by which it waits, or the status by which its sender is told. TLS: whether it has to have come
 * by it. `asks`: what the sender wants of TLS (RFC 8689).
 */
const DANE = [
  { name: 'ee', server: 'good', records: (at) => [at.key('good')], becomes: GONE, tls: true },
  { name: 'ee-expired', server: 'expired', records: (at) => [at.key('expired')], becomes: GONE, tls: true },
  { name: 'ee-name', server: 'other', records: (at) => [at.key('other')], becomes: GONE, tls: true },
  { name: 'ee-wrong', server: 'good', records: (at) => [at.key('other')], becomes: 'tls' },
  { name: 'ee-two', server: 'good', records: (at) => [at.key('other'), at.key('good')], becomes: GONE, tls: true },
  { name: 'ta', server: 'good', records: (at) => [at.authority], becomes: GONE, tls: true },
  { name: 'ta-name', server: 'other', records: (at) => [at.authority], becomes: 'tls' },
  { name: 'ta-expired', server: 'expired', records: (at) => [at.authority], becomes: 'tls' },
  { name: 'ta-stranger', server: 'stranger', records: (at) => [at.authority], becomes: 'tls' },
  { name: 'unusable', server: 'stranger', records: (at) => [at.authority.replace(/^2/, '0')], becomes: GONE, tls: true },
  { name: 'unusable-clear', server: 'clear', records: (at) => [at.authority.replace(/^2/, '1')], becomes: 'tls' },
  { name: 'stripped', server: 'clear', records: (at) => [at.authority], becomes: 'tls' },
  { name: 'none', server: 'clear', records: () => [], becomes: GONE, tls: false },
  { name: 'no-wrong', asks: 'optional', server: 'good', records: (at) => [at.key('other')], becomes: GONE, tls: true },
  { name: 'no-stripped', asks: 'optional', server: 'clear', records: (at) => [at.authority], becomes: GONE, tls: false },
  { name: 'must', asks: 'required', server: 'stranger', records: (at) => [at.key('stranger')], becomes: GONE, tls: true },
  { name: 'must-wrong', asks: 'required', server: 'good', records: (at) => [at.key('other')], becomes: '5.7.10' },
  // Who the host is follows from DNSSEC, and its certificate from the authorities.
  { name: 'must-none', asks: 'required', server: 'good', records: () => [], becomes: GONE, tls: true },
  { name: 'must-name', asks: 'required', server: 'other', records: () => [], becomes: '5.7.10' },
];

async function dane(stage) {
  const ca = authority(stage);
  const world = new World(stage, ca);
  const rows = [];
  for (const [n, { name, server, records }] of DANE.entries()) {
    const host = `mx.${name}.example`;
    const address = `127.0.1.${n + 1}`;
    const certificates = await world.host(address, host, server);
    const at = { authority: tlsa(2, ca.cert), key: (kind) => tlsa(3, certificates(kind).cert) };
    rows.push(`${name} MX 10 mx.${name}`, `mx.${name} A ${address}`, ...records(at).map((one) => `_25._tcp.mx.${name} TLSA ${one}`));
  }
  await world.host('127.0.1.100', 'mx.bogus.example', 'good');
  const bogus = '@ MX 10 mx\nmx A 127.0.1.100';
  const nothing = 'null MX 0 .\n';
  const port = await zones(stage, { signed: `${nothing}${rows.join('\n')}`, bogus });
  const wanted = new Map(DANE.map(({ name, becomes }) => [`${name}.example`, becomes]));
  wanted.set('bogus.example', 'dns-failed').set('null.example', GONE).set('nowhere.example', GONE);
  const asks = new Map(DANE.map(({ name, asks }) => [`${name}.example`, asks]));
  const { states } = await world.send([...wanted.keys()], port, { asks });
  assert.deepEqual(states, Object.fromEntries(wanted));
  for (const { name, becomes, tls, asks } of DANE) assert.deepEqual(world.cameTo(`${name}.example`), cameBy(becomes, tls, asks), name);
  // RFC 7505, RFC 5321 5.1: those two are told of at once.
  const notices = world.notices.join('\n');
  assert.match(notices, /Final-Recipient: rfc822; ?ann@null\.example\r\nAction: failed\r\nStatus: 5\.1\.10\r\n/);
  assert.match(notices, /Final-Recipient: rfc822; ?ann@nowhere\.example\r\nAction: failed\r\nStatus: 5\.1\.2\r\n/);
}

/** `policy`: mode and the pattern of hosts; `at`: the certificate of the policy host, or the status that it says. */
const STS = [
  { name: 'good', server: 'good', policy: ['enforce', 'mx.*'], becomes: GONE, tls: true },
  { name: 'other', server: 'other', policy: ['enforce', 'mx.*'], becomes: 'tls' },
  { name: 'expired', server: 'expired', policy: ['enforce', 'mx.*'], becomes: 'tls' },
  { name: 'stranger', server: 'stranger', policy: ['enforce', 'mx.*'], becomes: 'tls' },
  { name: 'clear', server: 'clear', policy: ['enforce', 'mx.*'], becomes: 'tls' },
  { name: 'mx', server: 'good', policy: ['enforce', 'elsewhere.example'], becomes: 'tls' },
  { name: 'testing', server: 'other', policy: ['testing', 'mx.*'], becomes: GONE, tls: true },
  { name: 'none', server: 'clear', policy: ['none', 'mx.*'], becomes: GONE, tls: false },
  // RFC 8461 3.3: what can't be had is as if there were none.
  { name: 'host-other', server: 'clear', policy: ['enforce', 'mx.*'], at: 'other', becomes: GONE, tls: false },
  { name: 'host-expired', server: 'clear', policy: ['enforce', 'mx.*'], at: 'expired', becomes: GONE, tls: false },
  { name: 'host-moved', server: 'clear', policy: ['enforce', 'mx.*'], at: 301, becomes: GONE, tls: false },
  { name: 'no-stranger', asks: 'optional', server: 'stranger', policy: ['enforce', 'mx.*'], becomes: GONE, tls: true },
  { name: 'no-clear', asks: 'optional', server: 'clear', policy: ['enforce', 'mx.*'], becomes: GONE, tls: false },
  { name: 'no-mx', asks: 'optional', server: 'good', policy: ['enforce', 'elsewhere.example'], becomes: GONE, tls: true },
  { name: 'must', asks: 'required', server: 'good', policy: ['testing', 'mx.*'], becomes: GONE, tls: true },
  { name: 'must-other', asks: 'required', server: 'other', policy: ['testing', 'mx.*'], becomes: '5.7.10' },
  // Neither DNSSEC nor a policy says who the host is (RFC 8689 4.2.1).
  { name: 'must-none', asks: 'required', server: 'good', policy: ['none', 'mx.*'], becomes: '5.7.10' },
];

/** What of a message comes to its server. */
function cameBy(becomes, tls, asks) {
  return becomes === GONE ? [{ tls, required: asks === 'required' }] : [];
}

async function sts(stage) {
  const ca = authority(stage);
  const world = new World(stage, ca);
  const rows = [];
  const policies = new Map();
  for (const [n, { name, server, policy, at = 'good' }] of STS.entries()) {
    const domain = `${name}.insecure.example`;
    const address = `127.0.2.${n + 1}`;
    await world.host(address, `mx.${domain}`, server);
    rows.push(
      `${name} MX 10 mx.${name}`,
      `mx.${name} A ${address}`,
      `_mta-sts.${name} TXT "v=STSv1; id=1;"`,
      `mta-sts.${name} A 127.0.0.1`,
    );
    policies.set(`mta-sts.${domain}`, { at, text: policyText(policy[0], policy[1].replace('*', domain)) });
  }
  const port = await zones(stage, { signed: '', insecure: rows.join('\n') });
  const policyPort = await policyHost(stage, world, policies);
  const wanted = Object.fromEntries(STS.map(({ name, becomes }) => [`${name}.insecure.example`, becomes]));
  const asks = new Map(STS.map(({ name, asks }) => [`${name}.insecure.example`, asks]));
  const { states } = await world.send(Object.keys(wanted), port, { port: policyPort, asks });
  assert.deepEqual(states, wanted);
  for (const { name, becomes, tls, asks } of STS)
    assert.deepEqual(world.cameTo(`${name}.insecure.example`), cameBy(becomes, tls, asks), name);
}

function policyText(mode, mx) {
  return ['version: STSv1', `mode: ${mode}`, `mx: ${mx}`, 'max_age: 86400', ''].join('\r\n');
}

/** One server for all policy hosts, each with its certificate. */
async function policyHost(stage, world, policies) {
  const { createSecureContext } = await import('node:tls');
  const contexts = new Map(
    [...policies].map(([host, { at }]) => [host, createSecureContext(world.certificate(host, typeof at === 'number' ? 'good' : at))]),
  );
  const answer = ({ headers }, response) => {
    const { at, text } = policies.get(headers.host.replace(/:\d+$/, ''));
    response
      .writeHead(typeof at === 'number' ? at : 200, { 'Content-Type': 'text/plain', Location: 'https://elsewhere.example/' })
      .end(text);
  };
  const server = createServer({ SNICallback: (name, done) => done(null, contexts.get(name)) }, answer);
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  stage.later(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return server.address().port;
}

/** Servers at port 25 of addresses of loopback, and a relay that sends to them. */
class World {
  taken = [];
  notices = [];
  #stage;
  #ca;
  #stranger;

  constructor(stage, ca) {
    this.#stage = stage;
    this.#ca = ca;
    this.#stranger = authority(stage, 'stranger');
  }

  certificate(host, kind) {
    if (kind === 'stranger') return this.#stranger.issue([host]);
    return this.#ca.issue([kind === 'other' ? 'elsewhere.example' : host], kind === 'expired' ? -1 : 30);
  }

  /** Starts one; returns what gives its certificate by the kind, which others may have had made before. */
  async host(address, host, kind) {
    const made = new Map();
    const certificates = (one) => {
      if (!made.has(one)) made.set(one, this.certificate(host, one));
      return made.get(one);
    };
    const message = async ({ envelope, body }, { tls }) => {
      const text = new TextDecoder().decode(await body.bytes());
      const required = envelope.parameters.requireTls === true;
      for (const { forwardPath } of envelope.recipients) this.taken.push({ to: forwardPath.address, tls: tls !== null, required, text });
      return true;
    };
    const tls = kind === 'clear' ? {} : { tls: certificates(kind) };
    await this.#stage.serve('sink', { message }, { host: address, port: 25, hostname: host, ...tls });
    return certificates;
  }

  /** How messages for a domain came. */
  cameTo(domain) {
    return this.taken.filter(({ to }) => to === `ann@${domain}`).map(({ tls, required }) => ({ tls, required }));
  }

  /** A message for each domain, with what `asks` says that it wants of TLS; resolves when each is gone, or has been tried. */
  async send(domains, resolver, { port, asks }) {
    const queue = new MemoryQueue(wallClock);
    const errors = [];
    const failed = (error, what) => errors.push(`${what}: ${error.message}`);
    const lookUp = dnsLookup({ servers: [`127.0.0.1:${resolver}`] });
    const sts = { lookUp, allow: ['loopback'], ...(port === undefined ? {} : { port }) };
    const local = { notices: async () => this.#keeper() };
    const way = outbound({ connect, hostname: 'out.example', ca: this.#ca.cert, sts, local, failed });
    const settings = deliverySettings({
      hostname: 'out.example',
      allow: ['loopback'],
      families: ['ipv4'],
      routes: [{ domains: ['sender.example'], hosts: [{ host: 'notices', protocol: 'local' }] }],
    });
    const means = { ...way, queue, schedule: wallClock, lookUp, boundary: () => crypto.randomUUID(), failed };
    const runner = new Runner(new Dispatcher(settings, Math.random), means, { hostname: 'out.example' });
    for (const domain of domains) {
      const tls = asks.get(domain) === undefined ? {} : { tls: asks.get(domain) };
      const message = { id: `m-${domain}`, reversePath: 'bob@sender.example', arrived: Date.now(), size: TEXT.length, ...tls };
      await queue.put([newJob(`j-${domain}`, message, domain, [{ address: `ann@${domain}` }])], [Buffer.from(TEXT)]);
    }
    runner.start();
    this.#stage.later(() => runner.stop());
    const waiting = await until('each message to be gone, or to have been tried', async () => {
      const all = await listOf(queue.find({}));
      return all.every(({ tries = 0 }) => tries > 0) && all;
    });
    const states = Object.fromEntries(domains.map((domain) => [domain, this.#told(domain) ?? GONE]));
    for (const { domain, recipients } of waiting) states[domain] = recipients[0].last?.category ?? 'untried';
    assert.deepEqual(errors, []);
    return { states };
  }

  /** By which status the sender was told, of what had asked for TLS. */
  #told(domain) {
    const told = new RegExp(`Final-Recipient: rfc822; ?ann@${domain.replaceAll('.', '\\.')}\r\nAction: failed\r\nStatus: (5.7.\\d+)`);
    return this.notices.map((text) => told.exec(text)?.[1]).find((status) => status !== undefined);
  }

  /** A session that keeps what it is given: for notices. */
  #keeper() {
    return {
      opened: { extensions: {}, tls: true, verified: true },
      send: async ({ recipients }, content) => {
        let text = '';
        for await (const part of content) text += Buffer.from(part).toString();
        this.notices.push(text);
        return { outcomes: recipients.map(() => ({ status: 'accepted', reply: { code: 250, lines: ['OK'] } })), open: true };
      },
      close() {},
      ended: new Promise(() => {}),
    };
  }
}

async function listOf(items) {
  const list = [];
  for await (const item of items) list.push(item);
  return list;
}
