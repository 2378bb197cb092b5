import { Readable } from 'node:stream';
import type { OutboundOptions } from '@ehlo/relay/outbound';
import DKIM from 'nodemailer/lib/dkim';

/** Signs in the name of a domain (RFC 6376). What the library gives is the whole message, its signature in front: that is all that is wanted of it. */
export function dkim(domainName: string, keySelector: string, privateKey: string): NonNullable<OutboundOptions['sign']> {
  const signer = new DKIM({ domainName, keySelector, privateKey });
  return async (_, content) => {
    let text = '';
    for await (const part of signer.sign(Readable.from(content))) {
      text += part;
      const field = /^DKIM-Signature:.*?\r\n(?![ \t])(?=.)/s.exec(text);
      if (field !== null) return new TextEncoder().encode(field[0]);
    }
    throw new Error('there is no signature');
  };
}
