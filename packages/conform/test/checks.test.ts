// The checks of test-vectors/wire keep to their schema, and to what whoever is examined was promised.
import { readdirSync, readFileSync } from 'node:fs';
import { type Json, type JsonSchema, violations } from '@ehlo/proof';
import { describe, expect, test } from 'vitest';
import { type Check, type ExpectStep, namesIn, type Step, showsOf } from '../src/index.ts';

const root = new URL('../../../test-vectors/', import.meta.url);
const read = (path: string): unknown => JSON.parse(readFileSync(new URL(path, root), 'utf8'));
const schema = read('schema/wire.schema.json') as JsonSchema;
const files = readdirSync(new URL('wire/server', root)).map((name) => `wire/server/${name}`);
const checks = files.flatMap((file) => (read(file) as { checks: Check[] }).checks);
const known = new Set(
  [
    (read('requirements.json') as { requirements: { id: string }[] }).requirements,
    (read('behaviours.json') as { behaviours: { id: string }[] }).behaviours,
  ]
    .flat()
    .map(({ id }) => id),
);

test.each(files)('%s keeps to the schema', (file) => {
  expect(violations(read(file) as Json, schema)).toEqual([]);
});

test('ids are unique', () => {
  const ids = checks.map(({ id }) => id);
  expect(ids.filter((id, i) => ids.indexOf(id) !== i)).toEqual([]);
});

/** All that a check says, as one text; a text that is repeated stands once. */
function said({ steps }: Check): string {
  return steps
    .flatMap((step) =>
      'send' in step
        ? [typeof step.send === 'string' ? step.send : step.send.map((part) => (typeof part === 'string' ? part : part.repeat)).join('')]
        : [],
    )
    .join('');
}

test('each check shows requirements that there are', () => {
  const wrong = checks.filter((check) => showsOf(check).length === 0 || showsOf(check).some((id) => !known.has(id)));
  expect(wrong.map(({ id }) => id)).toEqual([]);
});

test('variables are known, and conditions are of answers that have a name', () => {
  const names = checks.flatMap(({ steps }) => steps.flatMap((step) => ('send' in step ? namesIn(step.send) : [])));
  expect(names.filter((name) => !VARIABLES.has(name))).toEqual([]);
  const wrong = checks.filter(({ steps }) => {
    const given = new Set(expectations(steps).flatMap(({ also = [] }) => also.flatMap((answer) => answer.as ?? [])));
    return steps.some(({ if: wanted, unless }) => [wanted, unless].some((label) => label !== undefined && !given.has(label)));
  });
  expect(wrong.map(({ id }) => id)).toEqual([]);
});

test('expressions can be compiled anywhere', () => {
  const patterns = checks.flatMap(({ steps }) =>
    expectations(steps).flatMap(({ text = {} }) =>
      [text.first, text.rest, text.every, text.some, text.none].filter((one) => one !== undefined),
    ),
  );
  for (const pattern of patterns) expect(() => new RegExp(pattern.replaceAll('{extensions}', ''), 'i')).not.toThrow();
  expect(patterns.filter((pattern) => /\(\?[=!<]|\\[1-9]/.test(pattern))).toEqual([]);
});

describe('without --to', () => {
  const texts = checks.filter(({ needs }) => needs?.to === undefined).map((check) => ({ ...check, text: said(check) }));

  test('only Postmaster, an invented address, and what is no mailbox are asked for', () => {
    const recipients = texts.flatMap(({ text }) => [...text.matchAll(/RCPT +TO: *([^\r\n]*)/gi)].map(([, path]) => path!));
    expect(recipients.filter((path) => !isHarmless(path))).toEqual([]);
  });

  test('no message is completed', () => {
    const complete = texts.filter(({ begin, text }) => {
      // Behind 354 the connection is given up: no end of data, and no last chunk.
      const content = begin === 'data' ? text : text.replace(/^.*?DATA *\r\n|^.*$/is, '');
      return /^\.\r\n|\n\.\r\n/.test(content) || (begin === 'rcpt' && /BDAT[^\r\n]*LAST/i.test(text));
    });
    expect(complete.map(({ id }) => id)).toEqual([]);
  });
});

function expectations(steps: readonly Step[]): readonly ExpectStep[] {
  return steps.filter((step) => 'expect' in step);
}

/** What may be asked for and reset: Postmaster, an invented address, or what is no mailbox. */
function isHarmless(path: string): boolean {
  return /^(?:\{to\}|\{nobody\}|<postmaster>|<>|<@|$)/i.test(path) || path.includes('no-such');
}

const VARIABLES = new Set('hello name host from to to-two local domain domain-upper nobody size over plain user password'.split(' '));
