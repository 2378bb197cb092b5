// Reports that are a text for people and nothing else: what is said in them, guessed at by their words.
import type { DeliveryAction, RecipientStatus } from './delivery-status.ts';
import { generalStatus, statusIn } from './parse-delivery-status.ts';
import { CONTROLS } from './status-fields.ts';

/** What a text tells. */
export interface ToldStatus {
  readonly recipients: readonly RecipientStatus[];
  /** Where the text of the report ends, and a copy of the message begins, if there is one; else -1. */
  readonly originalAt: number;
}

/** The words that say that mail will be tried again. They decide: a text that says both tells of a delay. */
const DELAY =
  /will (?:keep|continue|be retried|retry|try again)|(?:do|does) not need to (?:re-?send|send)|not yet been delivered|has been delayed|delivery (?:is |was )?(?:temporarily )?delayed|will be (?:re)?attempted|attempts? (?:will|to deliver[a-z ]{0,30}will) (?:be made|continue)|still (?:trying|undelivered|being)|message delayed|could not send message for past/;
/** And those that take it back. */
const GIVEN_UP =
  /given up|giving up|gave up|will not be (?:re-?tried|retried)|no (?:further|more) attempts|permanent(?:ly)? (?:error|fail)|cancelled|returned to/;
const FAILURE =
  /(?:could ?n[o']t|can ?n[o']t|can't|couldn't|unable to|not able to|failed to|was not|were not|not be|has not been|have not been) (?:be )?(?:deliver|reach|process|transmit|send|accept)|undeliver|deliver(?:y|ies) (?:to the following [a-z]+ )?(?:has |have |of [a-z ]{0,40})?fail|non-?deliver|permanent(?:ly)? (?:fatal )?(?:error|fail)|returned (?:mail|to sender)|fail(?:ure|ed) (?:notice|delivery|recipient)|fatal errors|did not reach|wasn't delivered|has been rejected|was rejected|no such user|not delivered|transmission failed|rejected your message/;

/** Whether mail is told to have failed or to be late; null if neither. */
export function toldAction(text: string): DeliveryAction | null {
  const words = text.toLowerCase().replaceAll(/\s+/g, ' ').replaceAll('\u2019', "'");
  if (DELAY.test(words) && !GIVEN_UP.test(words)) return 'delayed';
  return FAILURE.test(words) ? 'failed' : null;
}

/** A line behind which a copy of the message follows. */
const COPY =
  /^[-=_* >]{0,80}(?:below this line is|(?:this|here) is a copy of|(?:a )?copy of (?:the|your) (?:original )?message|(?:the )?(?:original|returned|undelivered|unsent) (?:message|mail)(?: (?:follows|headers?|text|below))?|message headers? follow|(?:the )?(?:headers?|text|body) of (?:the|your) (?:original )?message|transcript of the original|----- unsent)/i;

/**
 * The recipients that a text names: an address at the start of a line, or behind a word that introduces one, with what follows up to a
 * blank line. Without such a line nothing is told.
 */
export function toldRecipients(text: string, action: DeliveryAction): ToldStatus {
  const lines = text.split('\n');
  const told = new Map<string, string[]>();
  let current: string[] | undefined;
  let session: string[] = [];
  let originalAt = -1;
  let at = 0;
  for (const raw of lines) {
    const line = raw.slice(0, LONGEST).replaceAll(CONTROLS, ' ').trim();
    at += raw.length + 1;
    if (COPY.test(line)) {
      originalAt = at;
      break;
    }
    const found = named(line);
    if (found !== null) {
      current = told.get(found.address) ?? [];
      told.set(found.address, current);
      if (found.rest !== '') current.push(found.rest);
    } else if (line === '') current = undefined;
    else if (current !== undefined) current.push(line);
    else if (statusIn(line) !== null) session.push(line);
    if (session.length > 100) session = session.slice(-100);
    if (told.size > MOST) break;
  }
  const recipients = [...told].map(([address, words]) => recipient(address, words.join(' '), session.join(' '), action));
  return { recipients, originalAt };
}

/** Ours. */
const LONGEST = 1000;
const MOST = 1000;
const LONGEST_DIAGNOSTIC = 2000;

const INTRODUCTION =
  /^(?:(?:failed |invalid |final |original )?(?:recipients?|address(?:es)?)|rcpt to|could not be delivered to|unable to deliver (?:message )?to(?: the following recipients?)?|(?:user|mailbox))\s{0,3}:\s{0,3}/i;

/** The address that a line is about, and what it says of it. */
function named(line: string): { readonly address: string; readonly rest: string } | null {
  const from = INTRODUCTION.exec(line)?.[0].length ?? 0;
  const behind = line.slice(from).replace(/^(?:[-*>]{1,3}|\d{1,3}[.)])\s{1,3}/, '');
  const match =
    /^(?:<([^\s<>]{1,320}@[^\s<>]{1,255})>|([^\s<>"(),:;]{1,64}@[^\s<>"(),:;]{1,255}))(?=[\s:;,.()]|$)[:;,.]?\s{0,10}(.*)$/.exec(behind);
  if (match === null) return null;
  const address = (match[1] ?? match[2]!).replace(/^mailto:/i, '').replace(/\.$/, '');
  const rest = match[3]!.replace(/^(?:\.{2,3}|-{1,3}|\u2013)\s*/, '');
  return { address, rest };
}

function recipient(address: string, words: string, session: string, action: DeliveryAction): RecipientStatus {
  const said = words === '' ? session : words;
  const diagnostic = said.replaceAll(/\s+/g, ' ').slice(0, LONGEST_DIAGNOSTIC).trim();
  const international = /\P{ASCII}/u.test(address);
  return {
    finalRecipient: { type: international ? 'utf-8' : 'rfc822', text: address },
    action,
    status: statusOf(diagnostic, action),
    // RFC 3464 2.1.2: a type that begins with "x-" is not registered; an SMTP reply may be within its text.
    ...(diagnostic === '' ? {} : { diagnostic: { type: statusIn(diagnostic) === null ? 'x-unknown' : 'smtp', text: diagnostic } }),
  };
}

/** A status that agrees with what is said to have been done: a 4yz reply with which a host gave up stays what it was. */
function statusOf(diagnostic: string, action: DeliveryAction): string {
  const status = statusIn(diagnostic);
  return status === null || status.startsWith('2') ? generalStatus(action) : status;
}
