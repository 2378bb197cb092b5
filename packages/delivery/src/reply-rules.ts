// What replies mean, as data: the enhanced code first, then the code, each with rules for texts before it.

/** What follows from a reply for its recipient. */
export type ReplyAction =
  /** It is given up: 5yz (RFC 5321 4.2.1). */
  | 'fail'
  /** It is tried again after a pause: 4yz. */
  | 'later'
  /** In the next transaction, at once (RFC 5321 4.5.3.1.10). */
  | 'now'
  /** The next host of the list, else as the code's first digit says. */
  | 'host'
  /** After a pause, and the host gets fewer sessions. */
  | 'slow';

/** A rule for replies. All that is given must fit. */
export interface ReplyRule {
  readonly name: string;
  /** Classes of hosts: names, or `.name` for all below it. Default: every host. */
  readonly hosts?: readonly string[];
  /** Stages: `greeting`, `hello`, `mail`, `rcpt`, `data`, `message` … Default: every stage. */
  readonly stages?: readonly string[];
  readonly codes?: readonly number[];
  /** Enhanced codes, `x` in front for 4 and 5 alike: `x.2.2`. */
  readonly enhanced?: readonly string[];
  /** A part of the text, in small letters. */
  readonly text?: string;
  readonly category: string;
  readonly action: ReplyAction;
}

/**
 * Names of categories and what follows, by subject and detail (RFC 3463, RFC 5248 registry). Without an action the reply's first digit decides, as it does
 * of a permanent reply without `host`.
 */
export const ENHANCED: { readonly [detail: string]: readonly [category: string, action?: ReplyAction] } = {
  '1.0': ['address'],
  '1.1': ['no-such-mailbox'],
  '1.2': ['no-such-domain'],
  '1.3': ['bad-address'],
  '1.4': ['ambiguous'],
  '1.6': ['moved'],
  '1.7': ['bad-sender'],
  '1.8': ['bad-sender'],
  '1.10': ['null-mx'], // RFC 7505 5
  '2.0': ['mailbox'],
  '2.1': ['disabled'],
  '2.2': ['mailbox-full'],
  '2.3': ['too-large'],
  '2.4': ['list-problem'],
  '3.0': ['system'],
  '3.1': ['system-full'],
  '3.2': ['shutting-down', 'host'],
  '3.3': ['not-capable'],
  '3.4': ['too-large'],
  '4.0': ['network'],
  '4.1': ['no-answer'],
  '4.2': ['bad-connection', 'host'],
  '4.3': ['directory'],
  '4.4': ['no-route'],
  '4.5': ['congested', 'slow'],
  '4.6': ['loop'],
  '4.7': ['expired'],
  '5.0': ['protocol'],
  '5.1': ['protocol'],
  '5.2': ['protocol'],
  '5.3': ['too-many-recipients', 'now'],
  '5.4': ['protocol'],
  '6.0': ['content'],
  '6.1': ['content'],
  '6.3': ['conversion'],
  '6.7': ['smtputf8'],
  '6.9': ['smtputf8'],
  '7.0': ['policy'],
  '7.1': ['policy'],
  '7.8': ['auth'],
  '7.10': ['tls'],
  '7.11': ['auth'],
  '7.26': ['authentication'],
  '7.27': ['bad-sender'],
  '7.30': ['requiretls'],
};

/** The codes of RFC 5321 4.2.3, RFC 7504 and RFC 1846, where no enhanced code says more. */
export const CODES: { readonly [code: number]: readonly [category: string, action?: ReplyAction] } = {
  421: ['shutting-down', 'host'], // RFC 5321 3.8
  450: ['mailbox-busy'],
  451: ['system'],
  452: ['system-full'],
  454: ['tls'],
  455: ['parameters'],
  500: ['protocol'],
  501: ['bad-address'],
  502: ['protocol'],
  503: ['protocol'],
  504: ['protocol'],
  521: ['no-mail-host', 'host'], // RFC 7504 3
  530: ['auth'],
  550: ['mailbox'],
  551: ['moved'],
  552: ['mailbox-full'],
  553: ['bad-address'],
  554: ['refused'],
  555: ['parameters'],
  556: ['null-mx'], // RFC 7504 4
};

/** Rules of our own, before those tables. */
export const REPLY_RULES: readonly ReplyRule[] = [
  // RFC 5321 4.5.3.1.10: 452, and 552 of old servers, to RCPT; with another enhanced code they say another thing.
  { name: 'too-many', stages: ['rcpt'], enhanced: ['x.5.3'], category: 'too-many-recipients', action: 'now' },
  { name: 'too-many-452', stages: ['rcpt'], codes: [452, 552], enhanced: [''], category: 'too-many-recipients', action: 'now' },
  // RFC 5321 3.1, RFC 7504: after a refusal at the greeting or EHLO, the other hosts of the domain are tried.
  { name: 'greeting', stages: ['greeting', 'hello'], category: 'no-welcome', action: 'host' },
  {
    name: 'greylisted',
    stages: ['rcpt', 'mail', 'data', 'message'],
    codes: [450, 451],
    text: 'greylist',
    category: 'greylisted',
    action: 'later',
  },
  { name: 'too-fast', codes: [421, 450, 451, 452], text: 'rate limit', category: 'rate-limit', action: 'slow' },
  { name: 'too-many-connections', codes: [421, 450, 451], text: 'too many connections', category: 'rate-limit', action: 'slow' },
];
