import type { CloseOptions, PoolCloseOptions, RejectOptions } from '@ehlo/driver';
import type { CommandOptions } from '@ehlo/engine';
import type { WordsOf } from './words.ts';

/** The argument of `server.close`. */
export const CLOSE: WordsOf<CloseOptions> = {
  now: {
    what: 'cuts off every connection at once: nothing is said, and nothing waited for',
    default: 'false: they have `grace` to end',
  },
  reply: { what: "what clients are told, in place of the usual 421; such as `reject(421, '4.3.2', 'Back in an hour')`" },
};

/** The argument of `pool.close`. */
export const POOL_CLOSE: WordsOf<PoolCloseOptions> = {
  now: {
    what: 'ends every connection at once: what was not sent is `unsent`, and a message whose end was said `unknown`',
    default: 'false: what was given is sent',
  },
};

/** The last argument of `reject`. */
export const REJECT: WordsOf<RejectOptions> = {
  delay: { type: 'number, 0 to 240000', what: 'how long to hold the reply back', unit: 'milliseconds', default: '0' },
  oauth: {
    what: 'in `auth.verify`: what is wrong with a token; OAUTHBEARER and XOAUTH2 tell it before the reply',
    source: 'RFC 7628 3.2.2',
  },
};

/** The last argument of `client.command`. */
export const COMMAND: WordsOf<CommandOptions> = {
  smtpUtf8: { what: 'says SMTPUTF8 after the argument of VRFY or EXPN', default: 'false', source: 'RFC 6531 3.7.4.2' },
};
