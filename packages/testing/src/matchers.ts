import { checkOptions, SmtpUsageError, type TableOf } from '@ehlo/engine';
import { misfit, newest, shownPattern, WANTED, type Wanted } from './inbox.ts';
import type { Mail } from './mail.ts';
import type { MailPart } from './mail-parts.ts';
import { like } from './matching.ts';
import type { Pattern } from './stub.ts';

/** What a matcher of vitest, jest or Bun says. */
export interface MatcherResult {
  readonly pass: boolean;
  message(): string;
}

/** What is expected of a mail: all that is given. */
export interface ExpectedMail extends Omit<Wanted, 'within'> {
  /** Part of the plain text, or an expression for it. */
  readonly text?: string | RegExp;
  /** Part of the HTML, or an expression for it. */
  readonly html?: string | RegExp;
  /** Where one of its links leads to. */
  readonly link?: Pattern;
  /** The file name of one of its attachments. */
  readonly attachment?: Pattern;
}

const EXPECTED: TableOf<ExpectedMail> = { ...WANTED, text: 'any', html: 'any', link: 'any', attachment: 'any' };

/** What is asked of a server. */
interface HasMails {
  readonly mails: readonly Mail[];
}

/**
 * Throws an error that says all that is not as expected of a mail; for `node:test`, Deno, and whatever has no `expect`. Texts of addresses, subjects, links
 * and file names may have `*` and `?`, without regard to case. Throws `SmtpUsageError` `bad-option` for a name that nothing has.
 */
export function assertMail(mail: Mail, expected: ExpectedMail): void {
  const wrong = misfits(mail, checkOptions(EXPECTED, expected));
  if (wrong.length > 0) throw new Error(`the mail is not as expected: ${wrong.join('; ')}`);
}

/** Throws unless one of the mails that a server has taken is as expected; it does not wait. */
export function assertReceived({ mails }: HasMails, given: ExpectedMail = {}): void {
  const expected = checkOptions(EXPECTED, given);
  if (mails.some((mail) => misfits(mail, expected).length === 0)) return;
  throw new Error(
    mails.length === 0
      ? 'the server has taken no mail'
      : ['none of the mails is as expected:', ...newest(mails.map((mail, i) => `  ${i + 1}. ${misfits(mail, expected).join('; ')}`))].join(
          '\n',
        ),
  );
}

function misfits(mail: Mail, expected: ExpectedMail): string[] {
  const { text, html, link, attachment, ...wanted } = expected;
  const found: (string | null)[] = [
    misfit(mail, wanted),
    text === undefined || has(mail.text, text) ? null : `text has no ${shownPattern(text)}: ${shown(mail.text)}`,
    html === undefined || has(mail.html, html) ? null : `html has no ${shownPattern(html)}: ${shown(mail.html)}`,
    link === undefined || mail.links.some((one) => like(link, one)) ? null : `no link is ${shownPattern(link)}: ${shown(mail.links)}`,
    attachment === undefined || mail.attachments.some(({ filename }) => filename !== null && like(attachment, filename))
      ? null
      : `no attachment is ${shownPattern(attachment)}: ${shown(mail.attachments.map(({ filename, type }: MailPart) => filename ?? type))}`,
  ];
  return found.filter((one) => one !== null);
}

function has(text: string, part: string | RegExp): boolean {
  return typeof part === 'string' ? text.includes(part) : text.search(part) >= 0;
}

function shown(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}

/** As vitest, jest and Bun see it: `interface Matchers<T> extends MailMatchers<T> {}` in their module tells the types. */
export interface MailMatchers<R = void> {
  toHaveSubject(subject: Pattern): R;
  toHaveSender(from: Pattern): R;
  toHaveRecipient(to: Pattern): R;
  toHaveHeader(name: string, value?: Pattern): R;
  toHaveText(text: string | RegExp): R;
  toHaveHtml(html: string | RegExp): R;
  toHaveLink(link: Pattern): R;
  toHaveAttachment(filename: Pattern): R;
  /** Of a server: whether a mail that it has taken is so. It does not wait: `next` does. */
  toHaveReceived(expected?: ExpectedMail): R;
}

/**
 * Matchers for `expect.extend` of vitest, jest and Bun.
 *
 * @example
 * ```ts
 * import { matchers } from '@ehlo/testing';
 * Object.keys(matchers).slice(0, 3)
 * // → ['toHaveSubject', 'toHaveSender', 'toHaveRecipient']
 * ```
 */
export const matchers: { readonly [name in keyof MailMatchers]: (received: unknown, ...expected: unknown[]) => MatcherResult } = {
  toHaveSubject: (mail, subject) => result(mail, { subject: subject as Pattern }),
  toHaveSender: (mail, from) => result(mail, { from: from as Pattern }),
  toHaveRecipient: (mail, to) => result(mail, { to: to as Pattern }),
  toHaveHeader: (mail, name, value = '*') => result(mail, { header: { [String(name)]: value as Pattern } }),
  toHaveText: (mail, text) => result(mail, { text: text as string | RegExp }),
  toHaveHtml: (mail, html) => result(mail, { html: html as string | RegExp }),
  toHaveLink: (mail, link) => result(mail, { link: link as Pattern }),
  toHaveAttachment: (mail, attachment) => result(mail, { attachment: attachment as Pattern }),
  toHaveReceived: (server, expected = {}) =>
    thrown(() => {
      if (!Array.isArray((server as Partial<HasMails> | null)?.mails)) throw new TypeError('toHaveReceived is asked of a test server');
      assertReceived(server as HasMails, expected as ExpectedMail);
    }, 'the server has taken such a mail'),
};

function result(mail: unknown, expected: ExpectedMail): MatcherResult {
  return thrown(() => {
    if ((mail as Partial<Mail> | null)?.envelope === undefined)
      throw new TypeError('what is given is no mail of a test server: perhaps `await mx.next()` lacks its await');
    // Else nothing would be asked, and anything be right.
    if (Object.values(expected).includes(undefined)) throw new TypeError('what is expected is undefined');
    assertMail(mail as Mail, expected);
  }, 'the mail is so');
}

/** What throws does not pass; `not` is told what is there. What can't be asked is a mistake either way, and is thrown on. */
function thrown(check: () => void, otherwise: string): MatcherResult {
  try {
    check();
    return { pass: true, message: () => `${otherwise}, and was not to be` };
  } catch (error) {
    if (error instanceof TypeError || error instanceof SmtpUsageError) throw error;
    const { message } = error as Error;
    return { pass: false, message: () => message };
  }
}
