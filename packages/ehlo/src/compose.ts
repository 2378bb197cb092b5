// `ehlo send --subject --header --body --html --attach`: a message from its parts. What writes MIME is a library that is loaded only here.
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { idDomain, type TextEnvelope } from './header-letter.ts';
import { type Letter, letterOf, MessageError, readInput } from './send-message.ts';
import { type Composition, SendError } from './send-options.ts';

/** Makes one message after the other, each with a Message-ID and a Date of its own. */
export type Composer = () => Promise<Letter>;

type Library = () => Promise<{ readonly default: new (mail: object) => { compile(): { build(): Promise<Uint8Array> } } }>;

const LIBRARY: Library = () => import('nodemailer/lib/mail-composer');

interface HeaderField {
  readonly key: string;
  readonly value: string;
}

/** Whether any option asks for a message to be composed. */
export function isComposed({ subject, header, body, html, attach }: Composition): boolean {
  return [subject, header, body, html, attach].some((option) => option !== undefined);
}

/**
 * Reads what the options name, and makes what composes the messages. Throws `SendError` for options that make no message, or where the library
 * is not installed, and `MessageError` for files that can't be read.
 */
export async function openComposer(
  composition: Composition,
  envelope: TextEnvelope,
  signal: AbortSignal,
  library: Library = LIBRARY,
): Promise<Composer> {
  const fields = (composition.header ?? []).map(fieldOf);
  const own = new Set(fields.map(({ key }) => key.toLowerCase()));
  checkFields(fields, composition.subject !== undefined);
  const { reversePath, recipients } = envelope;
  for (const address of [reversePath, ...recipients]) checkLine('an address', address);
  if (composition.subject !== undefined) checkLine('--subject', composition.subject);
  if (reversePath === '' && !own.has('from')) throw new SendError("--from <> writes no letter: name its author, --header 'From: …'");
  const text = composition.body === undefined ? undefined : await textOf('--body', composition.body, signal);
  const html = composition.html === undefined ? undefined : await textOf('--html', composition.html, signal);
  const attachments = (composition.attach ?? []).map((file) => ({ filename: basename(file), content: readFile('--attach', file) }));
  const { default: MailComposer } = await library().catch((cause: unknown) => {
    throw new SendError(
      'a message is composed by nodemailer 10, which is not installed: npm install nodemailer (or npx --package ehlo --package nodemailer ehlo send …)',
      { cause },
    );
  });
  const addressed = (address: string): object => ({ name: '', address });
  const [first = ''] = [reversePath, ...recipients].filter((address) => address !== '');
  const mail = {
    ...(own.has('from') ? {} : { from: addressed(reversePath) }),
    // If recipients are given, they are the complete list.
    ...(own.has('to') || own.has('cc') ? {} : { to: recipients.map(addressed) }),
    ...(composition.subject === undefined ? {} : { subject: composition.subject }),
    headers: fields.map(asWritten),
    // A message without a text has an empty one.
    ...(text === undefined && html === undefined && attachments.length === 0 ? { text: '' } : {}),
    ...(text === undefined ? {} : { text }),
    ...(html === undefined ? {} : { html }),
    attachments,
    disableFileAccess: true,
    disableUrlAccess: true,
  };
  const compose = async (): Promise<Letter> => {
    const id = own.has('message-id') ? {} : { messageId: `<${randomUUID()}@${idDomain(first.slice(first.lastIndexOf('@') + 1))}>` };
    const octets = await new MailComposer({ ...mail, ...id }).compile().build();
    const letter = letterOf([octets], async function* () {
      yield octets;
    });
    // RFC 5322 2.1.1; texts are encoded where their lines are long.
    if (letter.longestLine > LONGEST)
      throw new SendError('a field of the header has no space to fold it at, and is longer than a line may be (998)');
    return letter;
  };
  // What can't be written is told before anybody is asked.
  const ready = [await compose()];
  return async () => ready.pop() ?? (await compose());
}

const LONGEST = 1000;

/** RFC 5322 2.2: a name is printable ASCII without a colon. */
function fieldOf(option: string): HeaderField {
  checkLine('--header', option);
  const [, key, value] = /^([!-9;-~]+)[ \t]*:[ \t]*(\S.*)$/.exec(option) ?? [];
  if (key === undefined || value === undefined)
    throw new SendError(`--header is a name, a colon and a value, such as 'Reply-To: ann@example.org'`);
  return { key, value };
}

/** Fields that the library reads and writes again, for what is in them has a form. */
const FORMATTED: ReadonlySet<string> = new Set([
  'date',
  'from',
  'sender',
  'reply-to',
  'to',
  'cc',
  'message-id',
  'in-reply-to',
  'references',
]);

/** ASCII goes as it is: quotes, angles and parameters mean something there. What is beyond is encoded by the library (RFC 2047). */
function asWritten({ key, value }: HeaderField): object {
  const isAsItIs = !FORMATTED.has(key.toLowerCase()) && !/[^\t -~]/.test(value);
  return { key, value: isAsItIs ? { prepared: true, foldLines: true, value } : value };
}

/** RFC 5322 3.6: fields that stand in a header once at the most. */
const ONCE = ['date', 'from', 'sender', 'reply-to', 'to', 'cc', 'message-id', 'in-reply-to', 'references', 'subject'];

function checkFields(fields: readonly HeaderField[], hasSubject: boolean): void {
  const names = [...(hasSubject ? ['subject'] : []), ...fields.map(({ key }) => key.toLowerCase())];
  const twice = ONCE.find((name) => names.filter((one) => one === name).length > 1);
  if (twice !== undefined) throw new SendError(`${capital(twice)} stands in a header once (RFC 5322 3.6), and is given twice`);
  if (names.includes('bcc'))
    throw new SendError("Bcc would be seen by all: give --to for whom it goes to, and --header 'To: …' for what they see");
  const made = names.find((name) => name.startsWith('content-') || name === 'mime-version');
  if (made !== undefined) throw new SendError(`${capital(made)} follows from --body, --html and --attach`);
}

function capital(name: string): string {
  return name.replaceAll(/(?:^|-)[a-z]/g, (letter) => letter.toUpperCase());
}

/** What would begin another field, or end the header (RFC 5322 2.2), and control characters. */
function checkLine(option: string, text: string): void {
  if (/[\r\n\0]/.test(text)) throw new SendError(`${option} is one line: it has a CR, LF or NUL`);
  if (/[^\P{Cc}\t]/u.test(text)) throw new SendError(`${option} has a control character`);
}

/** The text itself; that of a file, `@name`; or standard input, `-`. `@@` is an @ that begins a text. */
async function textOf(option: string, given: string, signal: AbortSignal): Promise<string> {
  if (given.startsWith('@@')) return given.slice(1);
  const isInput = given === '-' && option === '--body';
  if (!isInput && !given.startsWith('@')) return given;
  const octets = isInput ? await readInput(signal) : readFile(option, given.slice(1));
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(octets);
  } catch {
    throw new MessageError(`${option}: ${isInput ? 'standard input' : given.slice(1)} is no text in UTF-8; --attach takes any file`);
  }
}

function readFile(option: string, file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new MessageError(`${option}: ${(error as Error).message}`);
  }
}
