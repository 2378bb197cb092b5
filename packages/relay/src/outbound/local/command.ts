import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { DeliveryOutcome } from '@ehlo/delivery';
import { showText } from '@ehlo/engine';
import type { OpenTransport } from '../options.ts';
import { checkPattern, filled } from './address-name.ts';
import { accepted, type LocalDelivery, localSession, NO_NAME, refused, UNKNOWN, Watched } from './local-session.ts';

export interface CommandOptions {
  /** The program and its arguments, without a shell. In arguments `{local}`, `{domain}` and `{address}` stand for the names of the address (`addressName`). */
  readonly argv: readonly [program: string, ...arguments: string[]];
  /** Variables of its environment, beside `PATH` and the envelope. */
  readonly env?: { readonly [name: string]: string };
  /** The folder that it runs in. Default: `/`. */
  readonly cwd?: string;
  /** How long it may run; milliseconds. Default 300,000. */
  readonly timeout?: number;
}

/** What of its output is read: the last line of it says why. */
const SAID = 4096;

/**
 * Gives each message, for one recipient at a time, to a program by its standard input, with the envelope in its environment: `SENDER`, `RECIPIENT`, and
 * `DELIVERY_KEY`, which is the same at each try. The exit code is one of sysexits(3): 0 delivered; 75 (and 71, 74: the system) tries again later; any other
 * of 64 to 78 fails permanently; all others have no meaning, and are tried again. A program that runs too long is killed with all processes that it started;
 * so is one that is reading a message that breaks off, before it sees the end of the input.
 */
export function command({ argv, env = {}, cwd = '/', timeout = 300_000 }: CommandOptions): OpenTransport {
  const [program, ...rest] = argv;
  for (const one of rest) checkPattern(one);
  return async (_, { failed = () => {} }) =>
    localSession(async (delivery) => {
      const { reversePath, recipient, key } = delivery;
      const given = rest.map((one) => filled(one, recipient.address));
      if (given.includes(null)) return NO_NAME;
      const known = { PATH: process.env.PATH, ...env, SENDER: reversePath, RECIPIENT: recipient.address, DELIVERY_KEY: key };
      // A group of its own: what it starts can be ended with it.
      const child = spawn(program, given as string[], { cwd, env: known, stdio: ['pipe', 'pipe', 'pipe'], shell: false, detached: true });
      return await run(child, delivery, timeout);
    }, failed);
}

async function run(
  child: ChildProcessByStdio<Writable, Readable, Readable>,
  { content }: LocalDelivery,
  timeout: number,
): Promise<DeliveryOutcome> {
  const body = new Watched(content);
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    kill(child);
  }, timeout);
  const said = lastLine(child);
  const over = new Promise<readonly [code: number | null, signal: string | null]>((resolve, reject) => {
    child.once('error', reject).once('close', (code, signal) => resolve([code, signal]));
  });
  // The input is closed after the last octet only: a program that sees the end has all of the content.
  const fed = feed(child, body);
  try {
    const [code, signal] = await over;
    await fed;
    if (body.failure !== null) throw body.failure.error;
    if (isLate) return body.isEnded ? UNKNOWN : refused(451, '4.3.0', 'The command took too long');
    return byExit(code, signal, said());
  } finally {
    clearTimeout(timer);
  }
}

/** Writes the message. A program that ends without reading all of it says by its exit code what it makes of that. */
async function feed(child: ChildProcessByStdio<Writable, Readable, Readable>, body: Watched): Promise<void> {
  const { stdin } = child;
  stdin.on('error', () => {});
  child.once('close', () => stdin.destroy());
  try {
    await pipeline(body, stdin, { end: false });
    stdin.end();
  } catch {
    // Its end of the pipe is closed when it is gone.
    if (body.failure !== null) kill(child);
  }
}

function kill({ pid }: { readonly pid?: number | undefined }): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It is gone.
  }
}

/** Reads what the program says, keeps little, and gives its last line. */
function lastLine({ stdout, stderr }: { readonly stdout: Readable; readonly stderr: Readable }): () => string {
  let text = '';
  for (const stream of [stdout, stderr]) {
    stream.setEncoding('utf8').on('data', (more: string) => {
      text = (text + more).slice(-SAID);
    });
  }
  return () => showText(text.trimEnd().split('\n').at(-1) ?? '').slice(0, 400);
}

/** sysexits(3) as RFC 3463 has it. */
const EXITS: { readonly [code: number]: readonly [code: number, enhanced: string] } = {
  64: [554, '5.3.5'], // EX_USAGE
  65: [554, '5.6.0'], // EX_DATAERR
  66: [550, '5.2.0'], // EX_NOINPUT
  67: [550, '5.1.1'], // EX_NOUSER
  68: [550, '5.1.2'], // EX_NOHOST
  69: [554, '5.3.0'], // EX_UNAVAILABLE
  70: [554, '5.3.0'], // EX_SOFTWARE
  71: [451, '4.3.0'], // EX_OSERR
  72: [554, '5.3.0'], // EX_OSFILE
  73: [550, '5.2.0'], // EX_CANTCREAT
  74: [451, '4.3.0'], // EX_IOERR
  75: [451, '4.3.0'], // EX_TEMPFAIL
  76: [554, '5.5.0'], // EX_PROTOCOL
  77: [550, '5.7.0'], // EX_NOPERM
  78: [554, '5.3.5'], // EX_CONFIG
};

function byExit(code: number | null, signal: string | null, said: string): DeliveryOutcome {
  const text = said === '' ? '' : `: ${said}`;
  if (code === 0) return accepted(`Delivered${text}`);
  if (code === null)
    return refused(451, '4.3.0', `The command was ended by ${signal} (${constants.signals[signal as NodeJS.Signals]})${text}`);
  return refused(...(EXITS[code] ?? ([451, '4.3.0'] as const)), `The command has failed with ${code}${text}`);
}
