import { createHash } from 'node:crypto';
import type { Tlsa } from '@ehlo/delivery';
import { expect, test } from 'vitest';
import { matchTlsa } from '../../src/outbound/index.ts';
import { certificate, type Made } from './certificates.ts';

const NAMES = ['mx.example.net', 'example.net'];
const root = certificate({ subject: 'root', ca: true });
const middle = certificate({ subject: 'middle', ca: true, issuer: root });
const leaf = certificate({ subject: 'mx', names: ['mx.example.net'], issuer: middle });
const stranger = certificate({ subject: 'stranger', ca: true });
const CHAIN = [leaf, middle, root];

function record(usage: number, selector: number, matching: number, { der, spki }: Made): Tlsa {
  const octets = selector === 0 ? der : spki;
  const hash = ['', 'sha256', 'sha512'][matching]!;
  return {
    usage,
    selector,
    matching,
    data: (hash === '' ? Buffer.from(octets) : createHash(hash).update(octets).digest()).toString('hex'),
  };
}

function match(chain: readonly Made[], records: readonly Tlsa[], names: readonly string[] = NAMES): string | null {
  return matchTlsa(
    chain.map(({ der }) => der),
    records,
    names,
  );
}

const FORMS = [0, 1].flatMap((selector) => [0, 1, 2].map((matching): [number, number] => [selector, matching]));

test.each(FORMS)('usage 3, selector %i, matching %i: the certificate of the server itself', (selector, matching) => {
  expect(match(CHAIN, [record(3, selector, matching, leaf)])).toBe(null);
  expect(match([leaf], [record(3, selector, matching, leaf)])).toBe(null);
  expect(match(CHAIN, [record(3, selector, matching, middle)])).toBe('certificate-not-trusted');
  expect(match(CHAIN, [record(3, selector, matching, stranger), record(3, selector, matching, leaf)])).toBe(null);
});

test('usage 3 has neither names nor dates (RFC 7672 3.1.1)', () => {
  const old = certificate({ subject: 'old', names: ['other.example'], days: -3 });
  expect(match([old], [record(3, 1, 1, old)])).toBe(null);
});

test.each(FORMS)('usage 2, selector %i, matching %i: who has signed it, near or far', (selector, matching) => {
  expect(match(CHAIN, [record(2, selector, matching, root)])).toBe(null);
  expect(match(CHAIN, [record(2, selector, matching, middle)])).toBe(null);
  expect(match(CHAIN, [record(2, selector, matching, stranger)])).toBe('certificate-not-trusted');
  // The server's own is no authority.
  expect(match(CHAIN, [record(2, selector, matching, leaf)])).toBe('certificate-not-trusted');
  // It stands in the chain, and has signed nothing.
  expect(match([leaf, stranger], [record(2, selector, matching, stranger)])).toBe('certificate-not-trusted');
});

test('usage 2 with the whole certificate, or the whole key, need not be in the chain (RFC 7671 5.2.2, 5.2.3); a digest has to', () => {
  const chain = [leaf, middle];
  expect(FORMS.map(([selector, matching]) => match(chain, [record(2, selector, matching, root)]))).toEqual([
    null,
    'certificate-not-trusted',
    'certificate-not-trusted',
    null,
    'certificate-not-trusted',
    'certificate-not-trusted',
  ]);
});

test('usage 2 wants one of the names (RFC 7672 3.2.2), as an alternative name', () => {
  const records = [record(2, 0, 1, root)];
  const made = (names: readonly string[], subject = 'x'): Made => certificate({ subject, names, issuer: root });
  const found = (one: Made): string | null => match([one, root], records);
  expect(found(made(['other.example', 'EXAMPLE.net']))).toBe(null);
  expect(found(made(['*.example.net']))).toBe(null);
  expect(found(made(['m*.example.net']))).toBe('certificate-host-mismatch');
  expect(found(made(['*.net']))).toBe('certificate-host-mismatch');
  expect(found(made(['other.example']))).toBe('certificate-host-mismatch');
  expect(found(made([], 'mx.example.net'))).toBe('certificate-host-mismatch');
});

test('usage 2 wants everything of the path in its time', () => {
  const late = certificate({ subject: 'late', names: ['mx.example.net'], issuer: root, days: -1 });
  expect(match([late, root], [record(2, 0, 1, root)])).toBe('certificate-expired');
  const old = certificate({ subject: 'old', ca: true, issuer: root, days: -1 });
  const below = certificate({ subject: 'mx', names: ['mx.example.net'], issuer: old });
  expect(match([below, old, root], [record(2, 0, 1, root)])).toBe('certificate-expired');
});

test('usage 2: no path by who may not sign (RFC 5280 6.1)', () => {
  const records = [record(2, 0, 1, root)];
  const server = certificate({ subject: 'no-ca', names: ['no-ca.example.net'], issuer: root });
  expect(match([certificate({ subject: 'mx', names: NAMES, issuer: server }), server, root], records)).toBe('certificate-not-trusted');
  const unsigning = certificate({ subject: 'no-sign', ca: true, usage: 0x80, issuer: root });
  expect(match([certificate({ subject: 'mx', names: NAMES, issuer: unsigning }), unsigning, root], records)).toBe(
    'certificate-not-trusted',
  );
  const client = certificate({ subject: 'mx', names: NAMES, issuer: root, purpose: '2b06010505070302' });
  expect(match([client, root], records)).toBe('certificate-not-trusted');
  const odd = certificate({ subject: 'mx', names: NAMES, issuer: root, odd: true });
  expect(match([odd, root], records)).toBe('certificate-not-trusted');
});

test('usage 2: the length of the path (RFC 5280 4.2.1.9)', () => {
  const short = certificate({ subject: 'short', ca: 0, issuer: root });
  const direct = certificate({ subject: 'mx', names: NAMES, issuer: short });
  expect(match([direct, short, root], [record(2, 0, 1, root)])).toBe(null);
  const below = certificate({ subject: 'below', ca: true, issuer: short });
  const far = certificate({ subject: 'mx', names: NAMES, issuer: below });
  expect(match([far, below, short, root], [record(2, 0, 1, root)])).toBe('certificate-not-trusted');
  expect(match([far, below, short], [record(2, 0, 1, short)])).toBe('certificate-not-trusted');
  expect(match([far, below], [record(2, 0, 1, below)])).toBe(null);
});

test('a name alone makes no authority: the signature counts', () => {
  const impostor = certificate({ subject: 'root', ca: true });
  const forged = certificate({ subject: 'mx', names: NAMES, issuer: impostor });
  expect(match([forged, root], [record(2, 0, 1, root)])).toBe('certificate-not-trusted');
});

test('of digests the strongest counts (RFC 7671 9)', () => {
  const wrong = record(3, 1, 2, stranger);
  expect(match(CHAIN, [record(3, 1, 1, leaf), wrong])).toBe('certificate-not-trusted');
  expect(match(CHAIN, [record(3, 1, 1, leaf), { ...wrong, selector: 0 }])).toBe(null);
  expect(match(CHAIN, [record(3, 1, 0, leaf), wrong])).toBe(null);
});

test('usages 0 and 1 match nothing (RFC 7672 3.1.3), nor do records that are none, nor octets that are no certificate', () => {
  expect(match(CHAIN, [record(1, 1, 1, leaf)])).toBe('certificate-not-trusted');
  expect(match(CHAIN, [record(0, 0, 1, root)])).toBe('certificate-not-trusted');
  expect(match(CHAIN, [{ ...record(3, 1, 1, leaf), data: 'zz' }])).toBe('certificate-not-trusted');
  expect(
    match(CHAIN, [
      { usage: 2, selector: 1, matching: 0, data: '00' },
      { usage: 2, selector: 0, matching: 0, data: '3000' },
    ]),
  ).toBe('certificate-not-trusted');
  expect(match(CHAIN, [])).toBe('certificate-not-trusted');
  expect(matchTlsa([], [record(3, 1, 1, leaf)], NAMES)).toBe('validation-failure');
  expect(matchTlsa([Buffer.from('no')], [record(3, 1, 1, leaf)], NAMES)).toBe('validation-failure');
});
