// The checks of clients: what they are, that a client which does as it should passes them all, and that each catches the flaw that it is named for.
import { readdirSync, readFileSync } from 'node:fs';
import { type JsonSchema, violations } from '@ehlo/proof';
import { describe, expect, test } from 'vitest';
import type { ClientCheck, ClientProtocol } from '../src/client/check.ts';
import { type ClientCatalogue, conformClient, runClientCheck, type Subject, selectedOfClients } from '../src/client/run.ts';
import type { Finding } from '../src/run-check.ts';
import { FLAWS, type Flaw, LMTP_FLAWS, LOGIN_FLAWS } from './flaws.ts';
import { plainSubject, type Setup } from './plain-client.ts';

const vectors = new URL('../../../test-vectors/', import.meta.url);
const read = (path: string): unknown => JSON.parse(readFileSync(new URL(path, vectors), 'utf8'));
const files = readdirSync(new URL('wire/client', vectors));
const checks = files.flatMap((file) => (read(`wire/client/${file}`) as { checks: ClientCheck[] }).checks);
const { requirements } = read('requirements.json') as {
  requirements: { id: string; rfc: number; section: string; statement: string; actor: string }[];
};
const catalogue: ClientCatalogue = {
  checks,
  requirements: Object.fromEntries(
    requirements.map(({ id, rfc, section, statement }) => [id, { id, section: `RFC ${rfc} ${section}`, statement }]),
  ),
};

const OPTIONS = { catalogue, tls: false, auth: false, patience: 500, hold: 5 } as const;
const checksOf = (protocol: ClientProtocol) => selectedOfClients({ catalogue, protocol });

const examine = async (id: string, flaw: Flaw | null = null, protocol: ClientProtocol = 'smtp') => {
  const check = checksOf(protocol).find((one) => one.id === id)!;
  return await runClientCheck(check, { ...OPTIONS, protocol, subject: plainSubject(flaw) });
};

describe('the checks as data', () => {
  test.each(files)('%s keeps to the schema', (file) => {
    expect(violations(read(`wire/client/${file}`) as never, read('schema/wire-client.schema.json') as JsonSchema)).toEqual([]);
  });

  test('there are more than 80, each with an id of its own, and each names requirements of clients', () => {
    expect(checks.length).toBeGreaterThan(80);
    expect(new Set(checks.map(({ id }) => id)).size).toBe(checks.length);
    const known = new Map(requirements.map((one) => [one.id, one]));
    const named = checks.flatMap(({ rules }) => rules.flatMap(({ shows }) => shows));
    expect(named.filter((id) => !['client', 'both'].includes(known.get(id)?.actor ?? ''))).toEqual([]);
  });

  test('what is permitted has its section', () => {
    const loose = checks.flatMap(({ id, rules }) =>
      rules.filter((rule) => rule.else?.verdict === 'permitted' && rule.else.section === undefined).map(() => id),
    );
    expect(loose).toEqual([]);
  });

  test('what a SHOULD asks for alone is never a violation', () => {
    const { requirements: levels } = read('requirements.json') as { requirements: { id: string; level: string }[] };
    const must = new Set(levels.filter(({ level }) => level.startsWith('MUST')).map(({ id }) => id));
    const strict = checks.flatMap(({ id, rules }) =>
      rules.filter((rule) => rule.else === undefined && !rule.shows.some((shown) => must.has(shown))).map(() => id),
    );
    expect(strict).toEqual([]);
  });
});

describe.each(['smtp', 'lmtp'] as const)('a client that does as it should, %s', (protocol) => {
  const all = checksOf(protocol);
  const isOfOthers = ({ about }: ClientCheck) => about === 'starttls' || about === 'auth';

  test.each(all.filter((check) => !isOfOthers(check)).map(({ id }) => id))('%s', async (id) => {
    const { verdict, because, dialogue } = await examine(id, null, protocol);
    expect({ verdict, because, dialogue }).toEqual({ verdict: 'conforms', because: null, dialogue });
  });

  test.each(all.filter(isOfOthers).map(({ id }) => id))('%s is skipped, and the precondition is told', async (id) => {
    expect(await examine(id, null, protocol)).toMatchObject({ verdict: 'skipped', because: expect.stringMatching(/^needs --(tls|auth)/) });
  });
});

/** As a check that is about STARTTLS or AUTH needs it. */
const examineLogin = async (id: string, flaw: Flaw | null = null) => {
  const check = checks.find((one) => one.id === id)!;
  const setup: Setup = { tls: check.about === 'starttls', auth: check.about === 'auth' };
  return await runClientCheck(check, { ...OPTIONS, ...setup, protocol: 'smtp', subject: plainSubject(flaw, setup) });
};
const LOGINS = checks.filter(({ about }) => about === 'starttls' || about === 'auth').map(({ id }) => id);

describe('a client that asks for TLS, or authenticates', () => {
  test.each(LOGINS)('%s', async (id) => {
    const { verdict, because, dialogue } = await examineLogin(id);
    expect({ verdict, because, dialogue }).toEqual({ verdict: 'conforms', because: null, dialogue });
  });

  test('each check catches a flaw', () => expect(new Set(Object.values(LOGIN_FLAWS))).toEqual(new Set(LOGINS)));

  test.each(Object.entries(LOGIN_FLAWS))('%s: %s', async (flaw, id) => {
    const { verdict, because } = await examineLogin(id, flaw as Flaw);
    expect({ verdict, because }).toMatchObject({ verdict: LEFT_OPEN.has(flaw) ? 'permitted' : 'violates' });
  });

  /** RFC 3207 4 leaves it to the client whether it goes on; EHLO behind TLS is a SHOULD; no mechanism but PLAIN has to be known. */
  const LEFT_OPEN: ReadonlySet<string> = new Set([
    'goes-on-without-ehlo',
    'goes-on-where-refused',
    'goes-on-in-clear',
    'knows-plain-alone',
  ]);
});

describe('a client with a flaw', () => {
  test.each(Object.entries(FLAWS))('%s: %s', async (flaw, id) => {
    const { verdict, because } = await examine(id, flaw as Flaw);
    expect({ verdict, because }).toMatchObject({ verdict: PERMITTED.has(flaw) ? 'permitted' : 'violates' });
  });

  test.each(Object.entries(LMTP_FLAWS))('LMTP: %s: %s', async (flaw, id) => {
    expect(await examine(id, flaw as Flaw, 'lmtp')).toMatchObject({ verdict: 'violates' });
  });

  test('an exit code that may not tell of each recipient decides nothing where some have the message', async () => {
    const check = checksOf('lmtp').find(({ id }) => id === 'lmtp-last-recipient-fails')!;
    const subject: Subject = { ...plainSubject('goes-by-the-first-reply'), tellsOfEach: false };
    const found = await runClientCheck(check, { ...OPTIONS, protocol: 'lmtp', subject });
    expect(found).toMatchObject({ verdict: 'inconclusive', because: expect.stringContaining('some recipients have the message') });
  });

  test('who speaks the other protocol is not taken for one that speaks this', async () => {
    const { work, several } = plainSubject();
    const subject: Subject = { several, work: async (task, check, examineIt) => await work(task, check, examineIt, 'lmtp') };
    const found = conformClient({ ...OPTIONS, protocol: 'smtp', subject });
    await expect(found.next()).rejects.toThrow(/does not send a message .*"500 Not known"|"221/);
  });

  /** What only a SHOULD asks for, and what a MAY leaves open. */
  const PERMITTED: ReadonlySet<string> = new Set(['sends-helo-first', 'never-falls-back', 'changes-utf8-addresses']);
});

test('a greeting is as the check says where the client is set up for TLS, too', async () => {
  const check = checks.find(({ id }) => id === 'greeting-554')!;
  const found = await runClientCheck(check, { ...OPTIONS, protocol: 'smtp', subject: plainSubject(), tls: true });
  expect(found).toMatchObject({ verdict: 'conforms', because: null });
});

test('several clients at a time come to the same, in the same order', async () => {
  let [open, most] = [0, 0];
  const { several, work } = plainSubject('does-not-stuff');
  const subject: Subject = {
    several,
    work: async (...task) => {
      most = Math.max(most, ++open);
      return await work(...task).finally(() => open--);
    },
  };
  const examineAll = async (sessions: number): Promise<readonly Finding[]> => {
    const findings: Finding[] = [];
    const options = { ...OPTIONS, protocol: 'smtp', subject, patience: 20_000, only: ['5321-4.5.2', '5321-4.2.1'] } as const;
    for await (const finding of conformClient({ ...options, sessions })) findings.push(finding);
    return findings;
  };
  const one = await examineAll(1);
  expect([open, most]).toEqual([0, 1]);
  expect(one.map(({ verdict }) => verdict)).toEqual(expect.arrayContaining(['conforms', 'violates']));
  expect(await examineAll(4)).toEqual(one);
  expect([open, most]).toEqual([0, 4]);
});
