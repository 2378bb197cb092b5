import { readFileSync } from 'node:fs';
import { type Mailbox, octets, parseMailbox } from '@ehlo/grammar';
import { expect, test } from 'vitest';
import { envelopeOf } from '../src/envelope.ts';
import { ANY_HEADER, type Field, HeaderReader } from '../src/index.ts';

interface Vector {
  readonly name: string;
  readonly identity?: string;
  readonly message: string;
  readonly reversePath: string | null;
  readonly source: string | null;
  readonly recipients: readonly string[];
  readonly resent: boolean;
  readonly smtputf8: boolean;
  readonly problems: readonly string[];
}

const { envelopes } = JSON.parse(readFileSync(new URL('../../../test-vectors/message/envelope.json', import.meta.url), 'utf8')) as {
  readonly envelopes: readonly Vector[];
};

function fieldsOf(message: string): readonly Field[] {
  const reader = new HeaderReader({ tolerate: ANY_HEADER });
  reader.push(octets(message));
  reader.end();
  const fields: Field[] = [];
  for (let event = reader.next(); event !== null; event = reader.next()) if (event.type === 'field') fields.push(event.field);
  return fields;
}

function mailbox(address: string): Mailbox {
  const parsed = parseMailbox(address);
  if (!parsed.ok) throw new Error(address);
  return parsed.value;
}

test.each(envelopes.map((vector) => [vector.name, vector] as const))('%s', (_, { identity, message, ...expected }) => {
  const found = envelopeOf(fieldsOf(message), identity === undefined ? {} : { identity: mailbox(identity) });
  const { reversePath, source, recipients, resent, smtputf8, problems } = expected;
  expect({
    ...found,
    reversePath: found.reversePath === null ? null : found.reversePath.address,
    recipients: found.recipients.map(({ address }) => address),
    problems: found.problems.map(({ code, field }) => (field === null ? code : `${code} ${field}`)),
  }).toEqual({ reversePath, source, recipients, resent, smtputf8, problems });
});

test('an address that SMTP has no word for is left out, and told with its place', () => {
  const tolerate = new Set(['no-domain'] as const);
  const { recipients, problems } = envelopeOf(fieldsOf('From: a@b.example\r\nTo: bob, carl@example.net\r\n\r\n'), { tolerate });
  expect(recipients.map(({ address }) => address)).toEqual(['carl@example.net']);
  expect(problems).toMatchObject([{ code: 'no-mailbox', field: 'To', offset: 19 }]);
});
