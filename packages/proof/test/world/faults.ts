// Everything that goes wrong in the simulated world, by name.

import type { DnsAnswer } from '@ehlo/delivery';
import type { Stub } from '@ehlo/testing/stubs';

type Answer = Partial<Omit<DnsAnswer, 'type' | 'to'>>;

/** What the names of a domain answer; null: as they would without the fault. `at` is the time since the world began, `host` its first MX. */
export type DnsFault = (rr: string, name: string, domain: string, host: string, at: number) => Answer | 'slow' | null;

const HOUR = 3_600_000;
/** Two of every twelve hours. */
const isBad = (at: number): boolean => at % (12 * HOUR) < 2 * HOUR;
const MX = (exchange: string, preference = 10): Answer => ({ status: 'found', mx: [{ preference, exchange }] });
const of =
  (rr: string, answer: Answer): DnsFault =>
  (asked, name, domain) =>
    asked === rr && name === domain ? answer : null;

export const DNS_FAULTS: { readonly [name: string]: DnsFault } = {
  'no such domain': (_, name, domain) => (name === domain ? { status: 'nxdomain' } : null),
  'no such domain at times': (_, name, domain, __, at) => (name === domain && isBad(at) ? { status: 'failed' } : null),
  'dns never answers': (_, name, domain) => (name === domain ? { status: 'failed' } : null),
  'dns is slow': () => 'slow',
  'null MX': of('MX', MX('', 0)),
  'null MX beside others': (rr, name, domain, host) =>
    rr === 'MX' && name === domain
      ? {
          status: 'found',
          mx: [
            { preference: 0, exchange: '' },
            { preference: 10, exchange: host },
          ],
        }
      : null,
  'no MX': (rr, name, domain, host) => {
    if (name !== domain) return null;
    return rr === 'A' ? { status: 'found', addresses: [addressOf(host)] } : { status: 'empty' };
  },
  'MX without address': of('MX', MX('nowhere.example')),
  'MX is an address': of('MX', MX('192.0.2.77')),
  'MX is an alias': (rr, name, domain, host) => {
    if (rr === 'MX' && name === domain) return MX(`alias.${domain}`);
    return name === `alias.${domain}` && rr === 'A' ? { status: 'found', alias: host, addresses: [addressOf(host)] } : null;
  },
  'domain is an alias': (rr, name, domain, host) => (rr === 'MX' && name === domain ? { ...MX(host), alias: `other.${domain}` } : null),
  'aliases in a circle': (_, name, domain) => ({ status: 'found', alias: name === domain ? `a.${domain}` : domain }),
  'MX is this host': of('MX', MX('relay.example')),
  'MX of this host is better': (rr, name, domain, host) =>
    rr === 'MX' && name === domain
      ? {
          status: 'found',
          mx: [
            { preference: 5, exchange: 'relay.example' },
            { preference: 10, exchange: host },
          ],
        }
      : null,
  'private address': (rr, name, _, host) => (rr === 'A' && name === host ? { status: 'found', addresses: ['10.0.0.1'] } : null),
  'MX moves': (rr, name, domain, host, at) =>
    rr === 'MX' && name === domain && at < 30 * HOUR ? MX('dead.example') : rr === 'MX' ? MX(host) : null,
  'first MX is dead': (rr, name, domain, host) =>
    rr === 'MX' && name === domain
      ? {
          status: 'found',
          mx: [
            { preference: 5, exchange: 'dead.example' },
            { preference: 10, exchange: host },
          ],
        }
      : null,
  'bogus at times': (rr, _, __, ___, at) => (rr === 'MX' && isBad(at) ? { status: 'failed', security: 'bogus' } : null),
};

/** Stubs of a server: replies, limits, what it lacks. */
const reply = (
  on: Stub['on'],
  code: number,
  enhanced: string,
  text: string,
  match: Stub['match'] = {},
  every?: number,
): readonly Stub[] => [{ on, match: every === undefined ? match : { ...match, every }, do: { reply: { code, enhanced, text } } }];
const lacks = (...remove: string[]): readonly Stub[] => [{ on: 'connect', do: { capabilities: { remove } } }];

export const SERVER_FAULTS: { readonly [name: string]: readonly Stub[] } = {
  'no welcome': reply('connect', 554, '5.3.2', 'no mail here'),
  'no welcome at times': reply('connect', 421, '4.3.2', 'come again', {}, 3),
  'EHLO fails at times': reply('hello', 451, '4.3.0', 'not now', {}, 5),
  greylisting: [{ on: 'rcpt', do: { greylist: { for: '10 min', by: ['from', 'to'] } } }],
  'too fast': [{ on: 'mail', do: { throttle: { most: 5, within: '1 min', by: ['peer'] } } }],
  'too many connections': [{ on: 'connect', do: { throttle: { most: 3, within: '10 min', by: ['peer'] } } }],
  'sender refused': reply('mail', 550, '5.7.1', 'not from you', { from: '*7@*' }),
  'mail deferred': reply('mail', 451, '4.3.0', 'later', {}, 3),
  'recipient deferred': reply('rcpt', 450, '4.2.1', 'busy', {}, 4),
  'recipients deferred for ever': reply('rcpt', 451, '4.3.0', 'later'),
  'every recipient unknown': reply('rcpt', 550, '5.1.1', 'no such user'),
  'recipient moved': reply('rcpt', 551, '5.1.6', 'User not local; please try <other@d0.example>', {}, 6),
  'data refused': reply('data', 554, '5.6.0', 'no data', {}, 9),
  'data deferred': reply('data', 451, '4.3.0', 'later', {}, 3),
  'content refused': reply('message', 554, '5.7.1', 'it looks like spam', {}, 7),
  'content deferred': reply('message', 451, '4.7.1', 'scanner is down', {}, 3),
  'disk full': reply('message', 452, '4.3.1', 'no room', {}, 4),
  'shuts down at RCPT': reply('rcpt', 421, '4.3.2', 'shutting down', {}, 8),
  'shuts down at the end': reply('message', 421, '4.3.2', 'shutting down', {}, 8),
  'one recipient at a time': [{ on: 'connect', do: { limits: { recipients: 1 } } }],
  'small messages only': [{ on: 'connect', do: { limits: { messageSize: 200 } } }],
  'no pipelining': lacks('PIPELINING'),
  'no extensions': lacks('PIPELINING', 'SIZE', '8BITMIME', 'DSN', 'SMTPUTF8', 'CHUNKING', 'BINARYMIME', 'STARTTLS'),
  'no enhanced codes': lacks('ENHANCEDSTATUSCODES'),
};

/** How a connection breaks, at one of so many. */
export type LineFault =
  | 'refused'
  | 'reset at once'
  | 'silent greeting'
  | 'lost at MAIL'
  | 'lost in the content'
  | 'lost before the reply'
  | 'lost behind the reply'
  | 'reply never comes'
  | 'garbage reply'
  | 'octet by octet'
  | 'slow line'
  | 'handshake fails'
  | 'dead for hours';

export const LINE_FAULTS: { readonly [name in LineFault]: number } = {
  refused: 3,
  'reset at once': 3,
  'silent greeting': 6,
  'lost at MAIL': 4,
  'lost in the content': 4,
  'lost before the reply': 6,
  'lost behind the reply': 4,
  'reply never comes': 8,
  'garbage reply': 6,
  'octet by octet': 1,
  'slow line': 1,
  'handshake fails': 2,
  'dead for hours': 1,
};

/** What is demanded of TLS, and not always had. */
export const TLS_FAULTS = [
  'no TLS',
  'DANE holds',
  'DANE fails for a day',
  'STS holds',
  'STS names another host',
  'STS can not be fetched',
] as const;

/** Of relays, of the queue they share, and of their clocks. */
export const OWN_FAULTS = [
  'relay crashes',
  'relay stands still',
  'relay is restarted',
  'put fails',
  'begin fails',
  'begin answers nothing',
  'settle fails',
  'settle answers nothing',
  'take fails',
  'take answers nothing',
  'renew fails',
  'renew answers nothing',
  'release fails',
  'content fails',
  'clock ahead',
  'clock back',
] as const;

export type OwnFault = (typeof OWN_FAULTS)[number];
export type TlsFault = (typeof TLS_FAULTS)[number];

/** All kinds. */
export const FAULTS: readonly string[] = [
  ...Object.keys(DNS_FAULTS),
  ...Object.keys(SERVER_FAULTS),
  ...Object.keys(LINE_FAULTS),
  ...TLS_FAULTS,
  ...OWN_FAULTS,
];

/** The address of a host: made of its number. */
export function addressOf(host: string): string {
  const number = Number(/\d+/.exec(host)?.[0] ?? 0);
  return `192.0.2.${number % 250}`;
}
