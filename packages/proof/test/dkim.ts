import { createHash, verify } from 'node:crypto';

/**
 * What is wrong with the first DKIM signature of a message (RFC 6376 6.1.3), by rsa-sha256 and relaxed/relaxed alone, with this public key; null
 * if it is whole. Written from the RFC, for what other software has signed. The message is one character an octet.
 */
export function dkimFault(message: string, publicKey: string): string | null {
  const end = message.indexOf('\r\n\r\n');
  const fields = message
    .slice(0, end)
    .split(/\r\n(?![ \t])/)
    .map((field) => ({ field, name: field.slice(0, field.indexOf(':')).trim().toLowerCase() }));
  const signature = fields.find(({ name }) => name === 'dkim-signature')?.field;
  if (signature === undefined) return 'there is no signature';
  const tags = new Map(
    signature
      .slice(signature.indexOf(':') + 1)
      .replace(/\r\n/g, '')
      .split(';')
      .filter((tag) => tag.trim() !== '')
      .map((tag) => [tag.slice(0, tag.indexOf('=')).trim(), tag.slice(tag.indexOf('=') + 1).replace(/\s/g, '')] as const),
  );
  if (tags.get('a') !== 'rsa-sha256' || tags.get('c') !== 'relaxed/relaxed') return 'it is signed in another way';
  const body = createHash('sha256')
    .update(relaxedBody(message.slice(end + 4)), 'latin1')
    .digest('base64');
  if (tags.get('bh') !== body) return 'the body is another';
  // RFC 6376 5.4.2: of fields of one name the last comes first, and each once.
  const left = [...fields].reverse();
  let signed = '';
  for (const name of tags.get('h')!.toLowerCase().split(':')) {
    const place = left.findIndex((one) => one.name === name);
    if (place >= 0) signed += `${relaxedField(left.splice(place, 1)[0]!.field)}\r\n`;
  }
  signed += relaxedField(signature.replace(/([;\s]b=)[^;]*/, '$1'));
  const isWhole = verify('sha256', Buffer.from(signed, 'latin1'), publicKey, Buffer.from(tags.get('b')!, 'base64'));
  return isWhole ? null : 'the signature is of another header';
}

/** RFC 6376 3.4.2. */
function relaxedField(field: string): string {
  const colon = field.indexOf(':');
  const value = field
    .slice(colon + 1)
    .replace(/\r\n/g, '')
    .replace(/[ \t]+/g, ' ')
    .trim();
  return `${field.slice(0, colon).trim().toLowerCase()}:${value}`;
}

/** RFC 6376 3.4.4. */
function relaxedBody(body: string): string {
  const lines = body
    .replace(/[ \t]+/g, ' ')
    .replace(/ \r\n/g, '\r\n')
    .replace(/(\r\n)+$/, '');
  return lines === '' ? '' : `${lines}\r\n`;
}
