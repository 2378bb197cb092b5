// What other readers of mail say of the values of test-vectors/message, beside what the RFC says of them. Where one says something else, it
// stands in message-peers.json: a difference that is not listed fails (`npm run proofs -- test/message-peers -u` in this package states them anew).
import { readFileSync } from 'node:fs';
import { octets } from '@ehlo/grammar';
import { ANY_HEADER, HeaderReader } from '@ehlo/message';
import addresses from 'email-addresses';
import { simpleParser } from 'mailparser';
import PostalMime, { addressParser, decodeWords } from 'postal-mime';
import { afterAll, describe, expect, test } from 'vitest';
import { parseHeaderAddress } from '../src/grammar.ts';

// A date without a zone is one of this machine's.
process.env.TZ = 'UTC';

const vectors = (name: string): Record<string, readonly Record<string, unknown>[]> =>
  JSON.parse(readFileSync(new URL(`../../../test-vectors/message/${name}.json`, import.meta.url), 'utf8')) as Record<
    string,
    readonly Record<string, unknown>[]
  >;

/** What a reader says of a value, as a text; null: nothing. */
type Said = string | null;
type Peer = (value: string) => Said | Promise<Said>;

interface Difference {
  readonly value: string;
  /** By the RFC. */
  readonly rfc: Said;
  readonly others: Readonly<Record<string, Said>>;
}

const differences: Record<string, readonly Difference[]> = {};
const agreement: Record<string, Record<string, string>> = {};

/** Milliseconds: what is read of a value lies further away from the present time, whenever this runs. */
const MOMENT = 60_000;

/** A date as a text; `now` where it is the time at which it was read. */
function momentOrNow(date: Date | undefined): Said {
  if (date === undefined) return null;
  return Math.abs(Date.now() - date.getTime()) < MOMENT ? 'now' : date.toISOString();
}

/** Asks each peer for each value. */
async function compare(
  what: string,
  values: readonly (readonly [value: string, rfc: Said])[],
  peers: Readonly<Record<string, Peer>>,
): Promise<void> {
  const found: Difference[] = [];
  const same: Record<string, number> = Object.fromEntries(Object.keys(peers).map((name) => [name, 0]));
  for (const [value, rfc] of values) {
    const others: Record<string, Said> = {};
    for (const [name, peer] of Object.entries(peers)) {
      const said = await peer(value);
      if (said === rfc) same[name]!++;
      else others[name] = said;
    }
    if (Object.keys(others).length > 0) found.push({ value, rfc, others });
  }
  differences[what] = found;
  agreement[what] = Object.fromEntries(Object.entries(same).map(([name, count]) => [name, `${count} of ${values.length}`]));
  // Who agrees in nothing was not asked the right way.
  for (const [name, count] of Object.entries(same)) expect(count, name).toBeGreaterThan(values.length / 4);
}

interface Named {
  readonly name?: string | null;
  readonly address?: string | undefined;
}

/** A list, its groups taken apart: `name <address>` each. */
function list(all: readonly Named[]): string {
  return all.map(({ name, address }) => `${(name ?? '').replaceAll(/\s+/g, ' ').trim()} <${address ?? ''}>`.trim()).join(', ');
}

interface Listed {
  readonly name: string | null;
  readonly localPart?: string;
  readonly domain?: string;
  readonly members?: readonly Listed[];
}

/** An address as most programs hold it: without the quotes of a local part that needs none. */
function byRfc(all: readonly Listed[]): string {
  const flat = all.flatMap((one) => one.members ?? [one]);
  return list(
    flat.map(({ name, localPart = '', domain = '' }) => {
      const local = /^[^\s"(),:;<>@[\\\]]+$/.test(localPart) ? localPart : `"${localPart.replaceAll(/["\\]/g, '\\$&')}"`;
      return { name, address: domain === '' ? local : `${local}@${domain}` };
    }),
  );
}

interface Grouped extends Named {
  readonly group?: readonly Named[] | undefined;
}

const flat = (all: readonly Grouped[]): string => list(all.flatMap((one) => one.group ?? [one]));

describe('values', () => {
  test('addresses', async () => {
    const values = vectors('addresses').addresses!.map(({ value, list: rfc }): [string, Said] => [
      String(value),
      rfc === null ? null : byRfc(rfc as readonly Listed[]),
    ]);
    await compare('addresses', values, {
      nodemailer: (value) => flat(parseHeaderAddress(value) as readonly Grouped[]),
      'postal-mime': (value) => flat(addressParser(value)),
      'email-addresses': (value) => {
        const parsed = addresses.parseAddressList({ input: value, rfc6532: true });
        return parsed === null ? null : list(parsed.flatMap((one) => (one.type === 'group' ? one.addresses : [one])));
      },
    });
  });

  test('encoded words', async () => {
    const values = vectors('encoded-words').words!.map(({ value, text }): [string, Said] => [String(value), String(text)]);
    await compare('encoded words', values, {
      mailparser: async (value) => (await simpleParser(`X: 1\r\nSubject: ${value}\r\n\r\n`)).subject ?? null,
      'postal-mime': (value) => decodeWords(value),
    });
  });

  test('dates', async () => {
    const values = vectors('dates').dates!.map(({ value, says }): [string, Said] => [
      String(value),
      says === null ? null : (says as { date: string }).date,
    ]);
    await compare('dates', values, {
      mailparser: async (value) => momentOrNow((await simpleParser(`X: 1\r\nDate: ${value}\r\n\r\n`)).date),
      'postal-mime': async (value) => (await PostalMime.parse(`X: 1\r\nDate: ${value}\r\n\r\n`)).date ?? null,
    });
  });
});

test('headers of reports and other mail: the fields that are there', async () => {
  const { bounces = [], others = [] } = vectors('bounces');
  const messages = [...bounces, ...others].map(({ message }) => (message as readonly string[]).join('\r\n'));
  const names = (all: readonly string[]): string => all.map((name) => name.toLowerCase()).join(' ');
  await compare(
    'headers',
    messages.map((message) => [message, names(fieldsOf(message))]),
    {
      mailparser: async (message) => names((await simpleParser(Buffer.from(message, 'latin1'))).headerLines.map(({ key }) => key)),
      'postal-mime': async (message) => names((await PostalMime.parse(Buffer.from(message, 'latin1'))).headers.map(({ key }) => key)),
    },
  );
});

function fieldsOf(message: string): readonly string[] {
  const reader = new HeaderReader({ tolerate: ANY_HEADER });
  reader.push(octets(message));
  reader.end();
  const names: string[] = [];
  for (let event = reader.next(); event !== null; event = reader.next()) if (event.type === 'field') names.push(event.field.name);
  return names;
}

test('the differences are the ones that are listed', async () => {
  await expect(`${JSON.stringify({ agreement, differences }, null, 2)}\n`).toMatchFileSnapshot('./message-peers.json');
});

afterAll(() => console.log(JSON.stringify(agreement)));
