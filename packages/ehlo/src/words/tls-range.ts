import type { TlsSettings } from '@ehlo/node';
import type { WordsOf } from './words.ts';

/** What either side of TLS may be limited to. */
export const TLS_RANGE: WordsOf<Pick<TlsSettings, 'minVersion' | 'maxVersion' | 'ciphers'>> = {
  minVersion: { what: 'the lowest TLS version that is accepted', default: 'TLSv1.2', source: 'RFC 8314 4.1 wants no less' },
  maxVersion: { what: 'the highest TLS version that is accepted', default: 'the highest of the runtime' },
  ciphers: {
    what: 'ciphers in the words of OpenSSL, the best first, such as `ECDHE-ECDSA-AES256-GCM-SHA384`',
    more: 'Not on Deno; on Bun those of TLS 1.2 alone.',
    default: "the runtime's",
  },
};
