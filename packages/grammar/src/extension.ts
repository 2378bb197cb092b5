import { type Announcement, bare, futureRelease, largest, leastBy, limits, mechanisms, profile } from './announcements.ts';
import { PARAMETERS, type Parameter } from './parameters.ts';

/** A verb that an extension adds. */
export interface VerbRule {
  readonly verb: string;
  /** Where in a session it may be used: in a mail transaction, outside of one, or both. */
  readonly transaction: 'inside' | 'outside' | 'any';
  /** RFC 2920 3.1: whether it must be the last command of a pipelined group. */
  readonly last: boolean;
  /** Reply codes that the extension defines for it. */
  readonly codes: readonly number[];
}

/** A service extension: what EHLO offers, and all that comes with it. */
export interface RegisteredExtension {
  /** The EHLO keyword. */
  readonly keyword: string;
  readonly rfc: number;
  /** What follows the keyword in the answer to EHLO. */
  readonly announcement: Announcement;
  readonly verbs: readonly VerbRule[];
  readonly parameters: readonly Parameter[];
}

/** The keywords that have parameters in the answer to EHLO. */
const ANNOUNCEMENTS: ReadonlyMap<string, Announcement> = new Map<string, Announcement>([
  ['SIZE', largest as Announcement],
  ['AUTH', mechanisms as Announcement],
  ['DELIVERBY', leastBy as Announcement],
  ['FUTURERELEASE', futureRelease as Announcement],
  ['MT-PRIORITY', profile as Announcement],
  ['LIMITS', limits as Announcement],
]);

function extension(keyword: string, rfc: number, verbs: readonly VerbRule[] = []): RegisteredExtension {
  return {
    keyword,
    rfc,
    announcement: ANNOUNCEMENTS.get(keyword) ?? bare,
    verbs,
    parameters: PARAMETERS.filter((parameter) => parameter.extension === keyword),
  };
}

/**
 * Every extension that is understood, in the order in which EHLO lists them: keyword, RFC, parameters and verbs in one place.
 * What a session offers is a selection of these.
 */
export const EXTENSIONS: readonly RegisteredExtension[] = [
  extension('PIPELINING', 2920),
  extension('SIZE', 1870),
  extension('8BITMIME', 6152),
  extension('ENHANCEDSTATUSCODES', 2034),
  extension('CHUNKING', 3030, [{ verb: 'BDAT', transaction: 'inside', last: false, codes: [250, 503, 554] }]),
  extension('BINARYMIME', 3030),
  extension('SMTPUTF8', 6531),
  extension('DSN', 3461),
  extension('DELIVERBY', 2852),
  extension('FUTURERELEASE', 4865),
  extension('MT-PRIORITY', 6710),
  extension('RRVS', 7293),
  extension('REQUIRETLS', 8689),
  extension('LIMITS', 9422),
  extension('STARTTLS', 3207, [{ verb: 'STARTTLS', transaction: 'outside', last: true, codes: [220, 454, 501, 530] }]),
  extension('AUTH', 4954, [
    { verb: 'AUTH', transaction: 'outside', last: true, codes: [235, 334, 432, 454, 500, 501, 503, 504, 530, 534, 535, 538] },
  ]),
  extension('ETRN', 1985, [{ verb: 'ETRN', transaction: 'outside', last: true, codes: [250, 251, 252, 253, 458, 459, 500, 501] }]),
  extension('VRFY', 5321, [{ verb: 'VRFY', transaction: 'any', last: true, codes: [] }]),
  extension('EXPN', 5321, [{ verb: 'EXPN', transaction: 'any', last: true, codes: [] }]),
  extension('HELP', 5321, [{ verb: 'HELP', transaction: 'any', last: false, codes: [] }]),
];

/** A keyword that is known and not implemented: historic, experimental or of no use here. */
export interface Historic {
  readonly keyword: string;
  readonly rfc: number;
  readonly parameters: readonly string[];
  readonly verbs: readonly string[];
}

/** Known by name, so that they can be refused for what they are. */
export const HISTORIC: readonly Historic[] = [
  { keyword: 'BURL', rfc: 4468, parameters: [], verbs: ['BURL'] },
  { keyword: 'ATRN', rfc: 2645, parameters: [], verbs: ['ATRN'] },
  { keyword: 'CHECKPOINT', rfc: 1845, parameters: ['TRANSID'], verbs: [] },
  { keyword: 'NO-SOLICITING', rfc: 3865, parameters: ['SOLICIT'], verbs: [] },
  { keyword: 'MTRK', rfc: 3885, parameters: ['MTRK'], verbs: [] },
  { keyword: 'SUBMITTER', rfc: 4405, parameters: ['SUBMITTER'], verbs: [] },
  { keyword: 'CONPERM', rfc: 4141, parameters: ['CONPERM'], verbs: [] },
  { keyword: 'CONNEG', rfc: 4141, parameters: ['CONNEG'], verbs: [] },
  { keyword: 'UTF8SMTP', rfc: 5336, parameters: ['ALT-ADDRESS'], verbs: [] },
  { keyword: 'SEND', rfc: 821, parameters: [], verbs: ['SEND'] },
  { keyword: 'SOML', rfc: 821, parameters: [], verbs: ['SOML'] },
  { keyword: 'SAML', rfc: 821, parameters: [], verbs: ['SAML'] },
  { keyword: 'TURN', rfc: 821, parameters: [], verbs: ['TURN'] },
];
