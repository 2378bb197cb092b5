// What the transcripts show, taken together: every edge, refusal, reply, guard, deviation and requirement; and none of them for nothing.
import { existsSync, readdirSync } from 'node:fs';
import { type EngineReply, GUARDS, LMTP_REPLIES, type Phase, REPLIES, type ReplyName, ServerSession, TABLE } from '@ehlo/engine';
import { DEVIATIONS, octets, type Verb } from '@ehlo/grammar';
import { describe, expect, test } from 'vitest';
import { citations, coverage, type DeliveryFile, EDGES, type JsonSchema, replayTranscript, violations } from '../src/vectors/index.ts';
import { clientTranscripts, read, root, transcripts } from './vectors.ts';

interface Requirement {
  readonly id: string;
  readonly rfc?: number;
  readonly section?: string;
  readonly actor?: 'server' | 'client' | 'both' | 'relay' | 'delivery' | 'gateway' | 'message';
  readonly level?: string;
  readonly testable_in_engine?: boolean;
  readonly testable_in_delivery?: true;
  readonly testable_in_message?: true;
}
type Side = (typeof SIDES)[number];
const SIDES = ['server', 'client'] as const;
/** What RFC 5321 says of what becomes of a message behind its 250. */
const DELIVERY_SECTIONS = ['3.4', '3.6', '3.9', '4.5.4', '5', '6', 'C', 'F.2'] as const;

/** A case of `message/*.json`, as far as it shows a requirement. */
interface MessageCase {
  readonly name?: string;
  readonly shows?: readonly string[];
}

interface NotVector {
  readonly ids: readonly string[];
  readonly role?: Side | 'delivery' | 'message';
  readonly why: string;
  readonly shown: readonly string[];
}

const shown = transcripts.map(({ file, transcript }) => {
  const log = replayTranscript(transcript, { chunking: 'lines' });
  return { file, transcript, log, ...coverage(transcript, log) };
});
const attempts = shown.flatMap((one) => one.attempts);
const outputs = shown.map(({ log }) => log.output);

describe('the table of the engine', () => {
  const edges = new Set(shown.flatMap((one) => [...one.edges]));

  test('every edge is walked', () => {
    expect(EDGES.filter((edge) => !edges.has(edge))).toEqual([]);
    expect([...edges].filter((edge) => !EDGES.includes(edge))).toEqual([]);
  });

  test.each(refusedPairs())('%s %s is refused, by %s', (phase, verb, codes) => {
    const replies = attempts.filter((attempt) => attempt.phase === phase && attempt.verb === verb && attempt.fault !== null);
    // RFC 5321 4.2.2: 421 may answer anything; where a budget is spent it does.
    const seen = new Set(replies.map(({ fault }) => fault!.reply.code).filter((code) => ![421, 501, 530].includes(code)));
    expect(seen.size).toBeGreaterThan(0);
    expect([...seen].filter((code) => !codes.includes(code))).toEqual([]);
  });

  test.each(guardedVerbs())('%s without %s is refused', (verb, guard) => {
    const { fault, reply } = GUARDS[guard];
    const text = REPLIES[reply].lines[0]!.replace('%', 'mx.example.org');
    const failing = attempts.filter((attempt) => attempt.verb === verb && attempt.fault?.code === fault);
    expect(failing.map((attempt) => attempt.fault?.reply.lines[0])).toContain(text);
  });
});

test('every reply of the engine is seen', () => {
  const replies: readonly EngineReply[] = [...Object.values(REPLIES), ...Object.values(LMTP_REPLIES)];
  const missing = replies.filter(({ rule, code, enhanced, lines }) => {
    const text = WRITTEN_ELSEWHERE.has(rule) ? '' : lines[0]!.replace('%', 'mx.example.org');
    const line = `${code} ${enhanced === undefined ? '' : `${enhanced} `}${text}`;
    return !outputs.some((output) => `\n${output}`.includes(`\n${line}`) || `\n${output}`.includes(`\n${line.replace(' ', '-')}`));
  });
  expect(missing.map(({ rule }) => rule)).toEqual([]);
});

/** Replies whose text tells what is wrong, or is the application's. */
const WRITTEN_ELSEWHERE: ReadonlySet<ReplyName> = new Set([
  'badArgument',
  'badSender',
  'badRecipient',
  'unknownParameter',
  'bareLineEnd',
  'expn',
  'help',
  'chunk',
  'etrn',
  'asciiSender',
  'priority',
]);

/** These are the server's own, met by clients. */
const OF_SERVERS: ReadonlySet<string> = new Set(['odd-ehlo-name', 'odd-ehlo-line', 'odd-ehlo-space', 'auth-equals']);

describe.each(Object.keys(DEVIATIONS).filter((name) => !OF_SERVERS.has(name)))('the deviation %s', (name) => {
  test('is accepted and reported', () => {
    const one = shown.find(({ transcript }) => transcript.name === `deviation-${name}`);
    expect(one?.transcript.options.tolerate).toEqual([name]);
    expect(one?.features.has(`deviation ${name}`)).toBe(true);
    expect(one?.log.events.filter(({ type }) => type === 'fault')).toEqual([]);
  });

  test('is refused', () => {
    const one = shown.find(({ transcript }) => transcript.name === `deviation-${name}-refused`);
    expect(one?.log.events.filter(({ type }) => type === 'fault')).toHaveLength(1);
  });
});

describe('the requirements', () => {
  const { requirements } = read('requirements.json') as { requirements: Requirement[] };
  const { behaviours } = read('behaviours.json') as { behaviours: Requirement[] };
  const { notVectors } = read('not-vectors.json') as { notVectors: NotVector[] };
  const all = { server: transcripts.map(({ transcript }) => transcript), client: clientTranscripts };
  const shownBy = { server: cited(all.server), client: cited(all.client) };
  const excused = {
    server: new Set(notVectors.filter(({ role = 'server' }) => role === 'server').flatMap(({ ids }) => ids)),
    client: new Set(notVectors.filter(({ role = 'client' }) => role === 'client').flatMap(({ ids }) => ids)),
  };
  const deliveries = cited(
    readdirSync(new URL('delivery/', root)).flatMap((file) => (read(`delivery/${file}`) as DeliveryFile).deliveries),
  );
  const excusedDelivery = new Set(notVectors.filter(({ role }) => role === 'delivery').flatMap(({ ids }) => ids));
  const messages = casesOfMessages();
  const excusedMessage = new Set(notVectors.filter(({ role }) => role === 'message').flatMap(({ ids }) => ids));
  const known = new Map([...requirements, ...behaviours].map((one) => [one.id, one]));

  test.each(['requirements', 'behaviours', 'not-vectors'])('%s.json keeps to its schema', (name) => {
    expect(violations(read(`${name}.json`) as never, read(`schema/${name}.schema.json`) as JsonSchema)).toEqual([]);
  });

  const messageFiles = readdirSync(new URL('message/', root)).map((file) => `message/${file.replace('.json', '')}`);
  test.each(['trace/received', ...messageFiles])('%s.json keeps to its schema', (name) => {
    const schema = `schema/${name.split('/')[1]}.schema.json`;
    expect(violations(read(`${name}.json`) as never, read(schema) as JsonSchema)).toEqual([]);
  });

  test('every id is known and stands once', () => {
    const ids = [
      ...[shownBy, excused].flatMap(({ server, client }) => [...server, ...client]),
      ...deliveries,
      ...excusedDelivery,
      ...messages.keys(),
      ...excusedMessage,
    ];
    expect(ids.filter((id) => !known.has(id))).toEqual([]);
    expect(known.size).toBe(requirements.length + behaviours.length);
  });

  test.each(SIDES)('a step of a %s shows only what is asked of it', (side) => {
    expect([...shownBy[side]].filter((id) => ![side, 'both', undefined].includes(known.get(id)?.actor))).toEqual([]);
  });

  test.each(SIDES)('every MUST has a step of the %s, or a reason why it can have none', (side) => {
    const due = requirements.filter(({ actor, level, testable_in_engine }) => {
      return level!.startsWith('MUST') && testable_in_engine && (actor === side || actor === 'both');
    });
    expect(due.length).toBeGreaterThan(side === 'server' ? 200 : 40);
    const missing = due.filter(({ id }) => !(shownBy[side].has(id) || excused[side].has(id)));
    expect(missing.map(({ id }) => id)).toEqual([]);
  });

  test('a delivery shows only what it can, and everything that one can show has one or a reason why there is none', () => {
    expect([...deliveries, ...excusedDelivery].filter((id) => known.get(id)?.testable_in_delivery !== true)).toEqual([]);
    const due = requirements.filter(({ testable_in_delivery }) => testable_in_delivery === true);
    expect(due.length).toBeGreaterThan(80);
    expect(due.map(({ id }) => id).filter((id) => !(deliveries.has(id) || excusedDelivery.has(id)))).toEqual([]);
    expect([...excusedDelivery].filter((id) => deliveries.has(id))).toEqual([]);
  });

  test.each(DELIVERY_SECTIONS)('all that RFC 5321 %s asks for is asked of a delivery, whoever else it is asked of', (section) => {
    const own = requirements.filter(({ rfc, section: at = '' }) => rfc === 5321 && (at === section || at.startsWith(`${section}.`)));
    expect(own.length).toBeGreaterThan(0);
    expect(own.filter(({ testable_in_delivery }) => testable_in_delivery !== true).map(({ id }) => id)).toEqual([]);
  });

  test('a case of a message shows only what it can, and everything that one can show has a case or a reason why there is none', () => {
    expect([...messages.keys(), ...excusedMessage].filter((id) => known.get(id)?.testable_in_message !== true)).toEqual([]);
    const due = requirements.filter(({ testable_in_message }) => testable_in_message === true);
    expect(due.length).toBeGreaterThan(40);
    expect(due.map(({ id }) => id).filter((id) => !(messages.has(id) || excusedMessage.has(id)))).toEqual([]);
    expect([...excusedMessage].filter((id) => messages.has(id))).toEqual([]);
  });

  test('every behaviour has a step, or a reason why it can have none', () => {
    const steps = [shownBy, excused].flatMap(({ server, client }) => [...server, ...client]);
    expect(behaviours.map(({ id }) => id).filter((id) => !steps.includes(id))).toEqual([]);
  });

  test('what has a step needs no reason, and what is said to show the others is there', () => {
    expect(SIDES.flatMap((side) => [...excused[side]].filter((id) => shownBy[side].has(id)))).toEqual([]);
    const files = notVectors.flatMap((entry) => entry.shown);
    expect(files.filter((file) => !existsSync(new URL(`../${file}`, root)))).toEqual([]);
  });
});

function cited(list: readonly { readonly steps: readonly object[] }[]): ReadonlySet<string> {
  return new Set(list.flatMap((one) => [...citations(one).keys()]));
}

test('every transcript shows something that no shorter one does', () => {
  const seen = new Set<string>();
  const idle: string[] = [];
  for (const { transcript, features } of [...shown].sort((a, b) => a.transcript.steps.length - b.transcript.steps.length)) {
    if ([...features].every((feature) => seen.has(feature))) idle.push(transcript.name);
    for (const feature of features) seen.add(feature);
  }
  expect(idle).toEqual([]);
});

/** The requirements that cases of messages show, each with their names. */
function casesOfMessages(): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, readonly string[]>();
  for (const file of readdirSync(new URL('message/', root))) {
    const cases = Object.values(read(`message/${file}`) as Record<string, unknown>)
      .filter(Array.isArray)
      .flat() as MessageCase[];
    for (const { name, shows = [] } of cases) for (const id of shows) found.set(id, [...(found.get(id) ?? []), name!]);
  }
  return found;
}

test('names are unique', () => {
  const names = [...transcripts.map(({ transcript }) => transcript), ...clientTranscripts].map(({ name }) => name);
  expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
});

// RFC 5321 4.5.4.2: "more than one" connection at a time.
test('two sessions at once know nothing of each other', () => {
  const options = { hostname: 'mx.example.org', preset: 'sink' } as const;
  const [one, other] = [new ServerSession(options), new ServerSession(options)];
  for (const line of ['HELO a.example\r\n', 'MAIL FROM:<a@a.example>\r\n', 'RCPT TO:<b@b.example>\r\n']) {
    for (const session of [one, other]) while (session.nextEvent() !== null);
    one.receive(octets(line));
  }
  while (one.nextEvent() !== null);
  expect([one.phase, other.phase, other.hello, other.envelope]).toEqual(['rcpt', 'greeted', null, null]);
});

/** Pairs that the table refuses, with the codes that the standards give for them. */
function refusedPairs(): [Phase, Verb, readonly number[]][] {
  const refused: [Phase, Verb, readonly number[]][] = [];
  for (const { from, on, refuse, guards } of TABLE) {
    if (refuse !== undefined && guards !== undefined)
      for (const phase of from) refused.push([phase, on as Verb, codesFor(phase, on as Verb)]);
  }
  return refused;
}

/** RFC 5321 4.1.4: 503. 4.2.4: 502 for a verb that is known but not implemented. 3.3: DATA without a recipient gets 503 or 554. */
function codesFor(phase: Phase, verb: Verb): readonly number[] {
  if (phase === 'refused') return [503];
  if (verb === 'BDAT') return phase === 'mail' ? [503, 554, 502, 421] : [503, 502, 421];
  if (['ETRN', 'XCLIENT', 'XFORWARD'].includes(verb)) return [503, 502];
  if (['SEND', 'SOML', 'SAML', 'TURN', 'ATRN', 'BURL'].includes(verb)) return [502];
  return verb === 'DATA' && phase === 'mail' ? [503, 554] : [503];
}

function guardedVerbs(): [Verb, keyof typeof GUARDS][] {
  // The budget is that of all verbs, and what a proxy may not tell is named in the reply.
  const elsewhere = ['room-for-commands', 'attributes-known'];
  const pairs = TABLE.flatMap(({ on, guards = [], checks = [] }) =>
    [...guards, ...checks].filter((guard) => !elsewhere.includes(guard)).map((guard) => `${on} ${guard}`),
  );
  return [...new Set(pairs)].map((pair) => pair.split(' ') as [Verb, keyof typeof GUARDS]);
}
