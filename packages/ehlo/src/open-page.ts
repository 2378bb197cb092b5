import type { Message, RecipientOutcome } from '@ehlo/driver';
import { showText } from '@ehlo/engine';
import { ANY_HEADER, MessageEditor, removeReturnPath } from '@ehlo/message';
import type { StubSet } from '@ehlo/testing';
import { openWeb, type Release, type Released, type Web } from '@ehlo/web';
import { connect } from '#adapter';
import { messageOf } from './error-message.ts';
import { jsonLine } from './json-line.ts';
import { readPassword } from './password.ts';
import type { Printer } from './printer.ts';
import { queueSource } from './queue-source.ts';
import { readMessage } from './read-message.ts';
import type { Place } from './send-options.ts';
import type { WebCommandOptions } from './web-options.ts';

/** What of the server the page shows. */
export interface Shown {
  readonly maildir: string;
  readonly keep?: number;
  /** The name by which mails are passed on. */
  readonly name: string;
  readonly stubs: StubSet;
}

/** Opens the page of `ehlo serve`; null without `--web`. Nobody is told of it before the server listens. */
export async function openPage(options: WebCommandOptions, shown: Shown, warn: (line: string) => void): Promise<Web | null> {
  const { web, webHost, webName, webUser, webPasswordFile, webQueue, webQueueOperate = false, maxAge, release } = options;
  if (web === undefined) return null;
  const user = webUser === undefined ? undefined : { name: webUser, password: passwordOf(webPasswordFile) };
  try {
    return await openWeb({
      maildir: shown.maildir,
      stubs: shown.stubs,
      explain: (octets) => readMessage(once(octets)),
      failed: (error) => warn(`the page: ${showText(messageOf(error))}`),
      ...(web === true ? {} : { port: web }),
      ...(webHost === undefined ? {} : { host: webHost }),
      ...(webName === undefined ? {} : { name: webName }),
      ...(user === undefined ? {} : { user }),
      ...(shown.keep === undefined ? {} : { keep: shown.keep }),
      ...(maxAge === undefined ? {} : { maxAge }),
      ...(webQueue === undefined ? {} : { queue: queueSource(webQueue, webQueueOperate) }),
      ...(release === undefined ? {} : { release: releaseTo(release, shown.name) }),
    });
  } catch (error) {
    // For who explains it.
    throw Object.assign(error as Error, { option: '--web' });
  }
}

/** What happens is shown by both. */
export function shownByBoth(printer: Printer, web: Web): Printer {
  return {
    conversation: true,
    listening: (host, port, tls) => {
      printer.listening(host, port, tls);
      web.listening(host, port, tls);
    },
    connected: (session) => {
      printer.connected(session);
      web.connected(session);
    },
    deviation: (session, name) => {
      printer.deviation(session, name);
      web.deviation(session, name);
    },
    message: (session, message) => {
      printer.message(session, message);
      web.message(session, message);
    },
    notice: (session, notice) => {
      // The page always needs the lines of the conversation.
      if (printer.conversation || notice.type !== 'trace') printer.notice(session, notice);
      web.notice(session, notice);
    },
  };
}

/** Where the page is, in a line. */
export function pageLine({ url }: Web, json: boolean): string {
  return json ? jsonLine({ event: 'web', url }) : `page on ${url}`;
}

function passwordOf(file: string | undefined): string {
  if (file !== undefined) return readPassword(file, '--web-password-file');
  const { EHLO_WEB_PASSWORD: password } = process.env;
  if (password === undefined || password === '')
    throw new Error('--web-user needs a password: set EHLO_WEB_PASSWORD, or give --web-password-file');
  return password;
}

function releaseTo(place: Place, hostname: string): Release {
  const where = 'path' in place ? { path: place.path, protocol: 'lmtp' as const } : { host: place.host, port: place.port ?? 25 };
  return {
    to: 'path' in place ? place.path : `${place.host}:${place.port ?? 25}`,
    async send({ from, to, octets }: Released) {
      const envelope = { reversePath: from, recipients: to };
      const client = await connect({ ...where, hostname }).catch((error: unknown) =>
        String(error instanceof Error ? error.message : error),
      );
      if (typeof client === 'string') return to.map((recipient) => ({ recipient, status: 'unsent', reply: client }));
      try {
        const { outcomes } = await client.send(envelope, withoutReturnPath(octets));
        return outcomes.map((outcome) => ({ recipient: outcome.recipient, status: outcome.status, reply: replyOf(outcome) }));
      } finally {
        await client.close();
      }
    },
  };
}

/** RFC 5321 4.4: a message that is sent has no Return-Path yet. */
function withoutReturnPath(octets: Uint8Array): Message {
  const editor = new MessageEditor([removeReturnPath()], { tolerate: ANY_HEADER });
  editor.push(octets);
  editor.end();
  const parts: Uint8Array[] = [];
  for (let event = editor.next(); event !== null; event = editor.next()) if (event.type === 'octets') parts.push(event.bytes.slice());
  return Buffer.concat(parts);
}

function replyOf(outcome: RecipientOutcome): string {
  const reply = 'reply' in outcome ? outcome.reply : null;
  return reply === null || reply === undefined ? outcome.status : `${reply.code} ${reply.lines.join(' ')}`;
}

async function* once(octets: Uint8Array): AsyncGenerator<Uint8Array, void, void> {
  yield octets;
}
