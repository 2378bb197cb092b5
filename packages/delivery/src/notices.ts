// The message of a notice (RFC 3464), separate from the machine: only programs that compose notices import it.

import type { Reply } from '@ehlo/grammar';
import { formatDate } from '@ehlo/grammar/imf';
import { type ComposedReport, composeReport, type OriginalMessage, type RecipientStatus } from '@ehlo/message/report';
import type { Notice, NoticeRecipient } from './job.ts';
import { shortReply } from './short-reply.ts';

/** What a notice is made of beside what it says. Nothing is taken from a clock or a random source. */
export interface NoticeInit {
  /** The name of this host: Reporting-MTA, and the domain of the Message-ID. */
  readonly hostname: string;
  /** The name of the notice's job: the local part of its Message-ID. */
  readonly id: string;
  /** RFC 2046 5.1.1: random, so that no sender can write it into a message. */
  readonly boundary: string;
  /** The message that the notice is about: its header with CRLF, its size, and its parameters of MAIL. */
  readonly original?: OriginalMessage;
  /** Minutes east of UT. Default 0. */
  readonly offset?: number;
  /** Octets of the largest original that goes back whole (RFC 3461 6.2). Default 65,536. */
  readonly limit?: number;
}

/**
 * Writes a notice (RFC 3461 6, RFC 3464, RFC 6533): its head, the original or its header, and its tail; `contentOf` of `@ehlo/message/report` joins them.
 *
 * @example
 * ```ts
 * import { composeNotice } from '@ehlo/delivery/notices';
 * const said = { at: 0, status: '5.1.1', category: 'no-such-mailbox', host: 'mx.example.net', reply: { code: 550, enhanced: '5.1.1', lines: ['no such user'] } };
 * const notice = {
 *   of: 'm', at: 0, arrived: 0, to: 'ann@example.org',
 *   recipients: [{ address: 'joe@example.net', action: 'failed' as const, status: '5.1.1', last: said }],
 * };
 * const mail = composeNotice(notice, { hostname: 'mx.example.org', id: 'j/notice-1.0', boundary: 'b1' });
 * /Diagnostic-Code: (.*)\r\n/.exec(new TextDecoder().decode(mail.head))?.[1]
 * // → 'smtp; 550 5.1.1 no such user'
 * ```
 */
export function composeNotice(notice: Notice, { hostname, id, boundary, original, offset, limit }: NoticeInit): ComposedReport {
  const { to, at, arrived, envid, ret, by, recipients } = notice;
  // RFC 2852 5: a field of the message's.
  const extensions =
    by === undefined ? {} : { extensions: [['Deliver-By-Date', formatDate({ date: by, offset: offset ?? 0, leap: false })] as const] };
  const report = composeReport({
    reversePath: to,
    status: {
      arrival: arrived,
      recipients: recipients.map(statusOf),
      ...(envid === undefined ? {} : { envelopeId: envid }),
      ...extensions,
    },
    host: hostname,
    date: at,
    // What an id has that no Message-ID may have is left out.
    messageId: `${id.replaceAll(/[^\w.-]/g, '.')}@${hostname}`,
    boundary,
    ...(ret === undefined ? {} : { ret }),
    ...(original === undefined ? {} : { original }),
    ...(offset === undefined ? {} : { offset }),
    ...(limit === undefined ? {} : { limit }),
  });
  if (report === null) throw new RangeError('RFC 5321 6.1: nobody is told of a message with a null reverse-path');
  return report;
}

function statusOf({ address, orcpt, action, status, last, until }: NoticeRecipient): RecipientStatus {
  return {
    ...(orcpt === undefined ? {} : { originalRecipient: { type: orcpt.type, text: orcpt.address } }),
    finalRecipient: { type: 'rfc822', text: address },
    action,
    status,
    ...(last?.host === undefined ? {} : { remoteMta: { type: 'dns', text: last.host } }),
    ...(last?.reply === undefined ? {} : { diagnostic: { type: 'smtp', text: textOf(last.reply) } }),
    ...(last === undefined ? {} : { lastAttempt: last.at }),
    ...(until === undefined ? {} : { willRetryUntil: until }),
  };
}

/** RFC 3461 9.2: the reply itself, its lines joined. */
function textOf(reply: Reply): string {
  const { code, enhanced, lines } = shortReply(reply);
  const text = [code, enhanced, ...lines].filter((part) => part !== undefined && part !== '').join(' ');
  return text.replaceAll(/[\r\n\0]/g, ' ');
}
