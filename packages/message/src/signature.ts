import { type Field, fieldValue } from './field.ts';

/** A signature over fields of a header, as far as programs that change them need it: DKIM-Signature (RFC 6376), ARC-Message-Signature (RFC 8617). */
export interface Signature {
  /** The field that it stands in. */
  readonly field: Field;
  /** `d=`: the signing domain. Empty if absent. */
  readonly domain: string;
  /** `s=` */
  readonly selector: string;
  /** `h=`: the names of the signed fields in small letters, each with how often it stands there. */
  readonly signs: ReadonlyMap<string, number>;
  /** `l=`: how many octets of the body are signed; null: all of it. */
  readonly bodyLength: number | null;
}

const SIGNATURES: ReadonlySet<string> = /* @__PURE__ */ new Set(['dkim-signature', 'arc-message-signature']);

/**
 * The signatures that a header has, in order. They are not verified: a signature that may be valid must not be broken.
 *
 * @example
 * ```ts
 * import { HeaderReader, signaturesOf } from '@ehlo/message';
 * const reader = new HeaderReader();
 * reader.push(new TextEncoder().encode('DKIM-Signature: v=1; d=example.org; s=a; h=From:Date:\r\n Date; bh=; b=\r\n\r\n'));
 * const event = reader.next();
 * event?.type === 'field' && [...signaturesOf([event.field])[0]!.signs]
 * // → [['from', 1], ['date', 2]]
 * ```
 */
export function signaturesOf(fields: readonly Field[]): readonly Signature[] {
  return fields.filter(({ name }) => SIGNATURES.has(name.toLowerCase())).map(signatureOf);
}

/** RFC 6376 3.2: `tag-list = tag-spec *( ";" tag-spec ) [ ";" ]`; 3.5: names of h= stand between colons. */
function signatureOf(field: Field): Signature {
  const tags = fieldValue(field).split(';');
  const value = (name: string): string =>
    tags
      .filter((tag) => tag.slice(0, Math.max(0, tag.indexOf('='))).trim() === name)
      .map((tag) => tag.slice(tag.indexOf('=') + 1).trim())
      // 3.2: a tag that stands twice makes the signature void; what any of them names is spared all the same.
      .join(':');
  const signs = new Map<string, number>();
  for (const part of value('h').split(':')) {
    const name = part.trim().toLowerCase();
    if (name !== '') signs.set(name, (signs.get(name) ?? 0) + 1);
  }
  const bodyLength = /^[0-9]{1,76}$/.test(value('l')) ? Number(value('l')) : null;
  return { field, domain: value('d'), selector: value('s'), signs, bodyLength };
}

/**
 * Whether a signature says something of a field of this name that has `below` fields of the same name below it. RFC 6376 5.4.2: of several
 * fields the last ones are signed, as many as h= names; 5.4: those that it names beyond the last are signed not to be there.
 */
export function covers({ signs }: Signature, name: string, below: number): boolean {
  return (signs.get(name.toLowerCase()) ?? 0) > below;
}
