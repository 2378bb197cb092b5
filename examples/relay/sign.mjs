// Signs what a relay sends (RFC 6376), by nodemailer's library for DKIM: `delivery: { sign: '/etc/ehlo/sign.mjs' }` in its configuration.
import { readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import DKIM from 'nodemailer/lib/dkim';

const [domainName, keySelector] = ['example.org', 'key1'];
const signer = new DKIM({ domainName, keySelector, privateKey: readFileSync(new URL('dkim.pem', import.meta.url), 'utf8') });

/** The signature of mail from our domain; null for what others have sent, and for notices of theirs. */
export async function sign({ reversePath }, content) {
  if (!reversePath.endsWith(`@${domainName}`)) return null;
  let text = '';
  // What the library gives is the whole message, its signature in front: that is all that is wanted of it.
  for await (const part of signer.sign(Readable.from(content))) {
    text += part;
    const field = /^DKIM-Signature:.*?\r\n(?![ \t])(?=.)/s.exec(text);
    if (field !== null) return new TextEncoder().encode(field[0]);
  }
  throw new Error('there is no signature');
}
