import type { Stub, StubFile, StubReply } from './stub.ts';

/** The servers that a test server can be like by itself. */
export type PresetName =
  | 'gmail'
  | 'outlook'
  | 'postfix'
  | 'exim'
  | 'greylisting'
  | 'full-disk'
  | 'flaky'
  | 'slow'
  | 'throttled'
  | 'no-tls'
  | 'smtputf8-less'
  | 'tarpit';

const NOBODY = 'nobody*@*';
const FULL = 'full*@*';

/** At a stage, this reply to whatever fits. */
function says(on: Stub['on'], reply: StubReply, match: Stub['match'] = {}): Stub {
  return { on, match, do: { reply } };
}

function lacks(...remove: string[]): Stub {
  return { on: 'connect', do: { capabilities: { remove } } };
}

/** What none of the large receivers offers. */
const RARE = ['BINARYMIME', 'DELIVERBY', 'FUTURERELEASE', 'MT-PRIORITY', 'RRVS', 'REQUIRETLS', 'LIMITS', 'ETRN', 'VRFY', 'EXPN', 'HELP'];

/**
 * Files of stubs: how servers of the world are, each with where that is known from. In those of receivers `nobody@…` has no mailbox, and that of
 * `full@…` is full.
 *
 * @example
 * ```ts
 * import { STUB_PRESETS } from '@ehlo/testing';
 * STUB_PRESETS['full-disk'].about
 * // → 'No room for messages: each is refused for now when it is whole.'
 * ```
 */
export const STUB_PRESETS: { readonly [name in PresetName]: StubFile } = {
  gmail: {
    about: 'Codes and words of Gmail: unknown and full mailboxes in many lines, and too much mail at a time.',
    source: 'https://support.google.com/a/answer/3726730',
    stubs: [
      lacks(...RARE, 'DSN'),
      says(
        'rcpt',
        {
          code: 550,
          enhanced: '5.1.1',
          text: [
            'The email account that you tried to reach does not exist. Please try',
            "5.1.1 double-checking the recipient's email address for typos or",
            '5.1.1 unnecessary spaces.',
          ],
        },
        { to: NOBODY },
      ),
      says(
        'rcpt',
        {
          code: 452,
          enhanced: '4.2.2',
          text: ["The recipient's inbox is out of storage space. Please direct the", '4.2.2 recipient to free up space.'],
        },
        { to: FULL },
      ),
      {
        on: 'mail',
        do: {
          throttle: {
            most: 20,
            within: '1 min',
            by: ['peer'],
            reply: { code: 421, enhanced: '4.7.28', text: 'Unusual rate of unsolicited mail originating from your IP address.' },
          },
        },
      },
    ],
  },
  outlook: {
    about: 'Codes and words of Exchange Online: no such recipient, a full mailbox, and recipients beyond a limit.',
    source:
      'https://learn.microsoft.com/en-us/exchange/mail-flow-best-practices/non-delivery-reports-in-exchange-online/non-delivery-reports-in-exchange-online',
    stubs: [
      lacks(...RARE),
      says(
        'rcpt',
        { code: 550, enhanced: '5.1.10', text: 'RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup' },
        { to: NOBODY },
      ),
      says('rcpt', { code: 452, enhanced: '4.2.2', text: 'Mailbox full' }, { to: FULL }),
      {
        on: 'rcpt',
        do: {
          throttle: {
            most: 100,
            within: '1 min',
            by: ['peer', 'from'],
            reply: { code: 452, enhanced: '4.5.3', text: 'Too many recipients' },
          },
        },
      },
    ],
  },
  postfix: {
    about: 'Words of Postfix with its usual settings: an unknown local user, and a mailbox over its quota.',
    source: 'https://www.postfix.org/postconf.5.html#unknown_local_recipient_reject_code',
    stubs: [
      lacks('BINARYMIME', 'DELIVERBY', 'FUTURERELEASE', 'MT-PRIORITY', 'RRVS', 'LIMITS', 'EXPN', 'HELP'),
      says('rcpt', { code: 250, enhanced: '2.1.5', text: 'Ok' }),
      says('message', { code: 250, enhanced: '2.0.0', text: 'Ok: queued as 4bXyZ1234Xz' }),
      says(
        'rcpt',
        { code: 550, enhanced: '5.1.1', text: 'Recipient address rejected: User unknown in local recipient table' },
        { to: NOBODY },
      ),
      says('rcpt', { code: 452, enhanced: '4.2.2', text: 'Recipient address rejected: Mailbox is full' }, { to: FULL }),
    ],
  },
  exim: {
    about: 'Words of Exim, which has no enhanced codes unless it is told to.',
    source: 'https://www.exim.org/exim-html-current/doc/html/spec_html/ch-smtp_processing.html',
    stubs: [
      lacks(...RARE, 'ENHANCEDSTATUSCODES', 'DSN'),
      says('rcpt', { code: 250, text: 'Accepted' }),
      says('data', { code: 354, text: 'Enter message, ending with "." on a line by itself' }),
      says('rcpt', { code: 550, text: 'Unrouteable address' }, { to: NOBODY }),
      says('rcpt', { code: 452, text: 'Mailbox is full' }, { to: FULL }),
    ],
  },
  greylisting: {
    about: 'Each new sender and recipient from a client is refused for now, until five minutes are over.',
    source: 'https://www.rfc-editor.org/rfc/rfc6647#section-2.4',
    stubs: [
      {
        on: 'rcpt',
        do: { greylist: { for: '5 min', reply: { code: 450, enhanced: '4.7.1', text: 'Greylisted, try again in 300 seconds' } } },
      },
    ],
  },
  'full-disk': {
    about: 'No room for messages: each is refused for now when it is whole.',
    source: 'https://www.rfc-editor.org/rfc/rfc5321#section-4.2.3',
    stubs: [says('message', { code: 452, enhanced: '4.3.1', text: 'Insufficient system storage' })],
  },
  flaky: {
    about: 'Every third connection is turned away, and every second message ends with a connection that is dropped before the reply.',
    source: 'https://www.rfc-editor.org/rfc/rfc1047',
    stubs: [
      {
        on: 'connect',
        match: { every: 3 },
        do: { reply: { code: 421, enhanced: '4.3.2', text: 'Service not available, try again later' } },
      },
      { on: 'message', match: { every: 2 }, do: { drop: true } },
    ],
  },
  slow: {
    about: 'Every answer takes its time, and none more than a client has to wait for.',
    source: 'https://www.rfc-editor.org/rfc/rfc5321#section-4.5.3.2',
    stubs: [
      ...(['connect', 'hello', 'mail', 'rcpt', 'data'] as const).map((on): Stub => ({ on, do: { delay: '2 s' } })),
      { on: 'message', do: { delay: '10 s' } },
    ],
  },
  throttled: {
    about: 'Ten connections and ten messages a minute; one more is turned away for now.',
    source: 'https://www.rfc-editor.org/rfc/rfc5321#section-7.8',
    stubs: [
      { on: 'connect', do: { throttle: { most: 10, within: '1 min', by: ['peer'] } } },
      { on: 'mail', do: { throttle: { most: 10, within: '1 min', by: ['peer'] } } },
    ],
  },
  'no-tls': {
    about: 'STARTTLS is not offered.',
    source: 'https://www.rfc-editor.org/rfc/rfc3207#section-6',
    stubs: [lacks('STARTTLS')],
  },
  'smtputf8-less': {
    about: 'Addresses and headers beyond ASCII are not taken.',
    source: 'https://www.rfc-editor.org/rfc/rfc6531#section-3.2',
    stubs: [lacks('SMTPUTF8')],
  },
  tarpit: {
    about: 'Replies come octet by octet, to waste the time of whoever sends too much.',
    source: 'https://www.rfc-editor.org/rfc/rfc5321#section-7.8',
    stubs: [
      says('connect', { code: 220, text: 'mx.example.test ESMTP', split: { every: 1, pause: '1 s' } }),
      says('mail', { code: 250, enhanced: '2.1.0', text: 'OK', split: { every: 1, pause: '1 s' } }),
      says('rcpt', { code: 250, enhanced: '2.1.5', text: 'OK', split: { every: 1, pause: '1 s' } }),
    ],
  },
};
