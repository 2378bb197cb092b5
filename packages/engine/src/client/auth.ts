import { decodeBase64, encodeBase64, encodeUtf8, type Reply } from '@ehlo/grammar';
import { SmtpUsageError } from '../error.ts';
import { type AuthWords, Redactor, WITHHELD } from '../redact.ts';
import { Secret } from '../secret.ts';
import type { ClientCore } from './core.ts';

/** AUTH (RFC 4954): the wire of it. What is said is the mechanism's business. */
export interface AuthFeature {
  readonly name: 'auth';
  begin(core: ClientCore, mechanism: string, initial: Uint8Array | null, words: AuthWords): void;
  respond(core: ClientCore, response: Uint8Array): void;
  cancel(core: ClientCore): void;
  answered(core: ClientCore, reply: Reply): void;
}

/** RFC 5321 4.5.3.1.4: a command line; RFC 4954 4: a line of the exchange, of 12288 octets. Both without their CRLF. */
const LONGEST_COMMAND = 510;
const LONGEST_RESPONSE = 12_286;

/** Names AUTH among the features of a client session, so that `authenticate` works. */
export const AUTH: AuthFeature = { name: 'auth', begin, respond, cancel, answered };

function begin(core: ClientCore, mechanism: string, initial: Uint8Array | null, words: AuthWords): void {
  // RFC 4422 3.1
  if (!/^[A-Z0-9_-]{1,20}$/.test(mechanism)) throw new SmtpUsageError('bad-argument', 'not the name of a SASL mechanism');
  // "=" is a response of no octets.
  const written = initial === null ? '' : initial.length === 0 ? ' =' : ` ${encoded(initial)}`;
  core.demand('authenticate');
  const line = `AUTH ${mechanism}`;
  const fits = line.length + written.length <= LONGEST_COMMAND;
  core.go('authenticate');
  core.exchange = { mechanism, initial: fits ? null : initial, challenges: 0, state: 'asked' };
  core.redactor ??= new Redactor();
  core.redactor.begin(words);
  if (initial !== null) core.redactor.say(initial);
  core.ask('AUTH', fits ? line + written : line, null, 0, fits && written !== '' ? `${line} ${WITHHELD}` : line);
}

function respond(core: ClientCore, response: Uint8Array): void {
  const text = encoded(response);
  core.redactor!.say(response);
  core.exchange!.state = 'asked';
  core.ask('AUTH', text, null, 0, WITHHELD);
}

/** RFC 4954 4: "If the client wishes to cancel the authentication exchange, it issues a line with a single "*"." */
function cancel(core: ClientCore): void {
  core.exchange!.state = 'cancelled';
  core.ask('AUTH', '*');
}

function answered(core: ClientCore, reply: Reply): void {
  const exchange = core.exchange!;
  const { mechanism, state } = exchange;
  if (reply.code === 334 && state !== 'cancelled') return challenged(core, exchange, reply);
  if (reply.code < 400 && state === 'cancelled') return core.fault('unexpected-code', String(reply.code));
  core.exchange = null;
  core.redactor!.end();
  core.go('auth-over');
  if (reply.code < 400) {
    core.authenticated = mechanism;
    core.events.push({ type: 'authenticated', mechanism, reply });
  } else
    core.events.push({
      type: 'reply',
      verb: 'AUTH',
      reply,
      ...(core.withheld === null ? {} : { withheld: new Secret(encodeUtf8(core.withheld)) }),
    });
}

function challenged(core: ClientCore, exchange: NonNullable<ClientCore['exchange']>, { lines }: Reply): void {
  const { initial } = exchange;
  const text = encodeUtf8(lines.join(''));
  const data = decodeBase64(text);
  const fault = data === null ? 'base64' : ++exchange.challenges > core.limits.challenges ? 'too-many-challenges' : null;
  if (fault !== null) {
    core.events.push({ type: 'fault', code: fault, line: `334 ${WITHHELD}` });
    cancel(core);
  } else if (initial !== null) {
    exchange.initial = null;
    respond(core, initial);
  } else {
    exchange.state = 'open';
    core.events.push({ type: 'challenge', mechanism: exchange.mechanism, data: new Secret(data!) });
  }
}

function encoded(bytes: Uint8Array): string {
  const text = encodeBase64(bytes);
  if (text.length > LONGEST_RESPONSE) throw new SmtpUsageError('bad-argument', 'the response is too long for a line');
  return text;
}
