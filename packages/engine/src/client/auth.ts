import { decodeBase64, encodeBase64, encodeUtf8, latin1, type Reply } from '@ehlo/grammar';
import { SmtpUsageError } from '../error.ts';
import { Secret } from '../secret.ts';
import type { ClientCore } from './core.ts';

/** AUTH (RFC 4954): the wire of it. What is said is the mechanism's business. */
export interface AuthFeature {
  readonly name: 'auth';
  begin(core: ClientCore, mechanism: string, initial: Uint8Array | null): void;
  respond(core: ClientCore, response: Uint8Array): void;
  cancel(core: ClientCore): void;
  answered(core: ClientCore, reply: Reply): void;
}

/** RFC 5321 4.5.3.1.4: a command line; RFC 4954 4: a line of the exchange. Both without their CRLF. */
const LONGEST_COMMAND = 510;
const LONGEST_RESPONSE = 12_288;

/** Names AUTH among the features of a client session, so that `authenticate` works. */
export const AUTH: AuthFeature = { name: 'auth', begin, respond, cancel, answered };

function begin(core: ClientCore, mechanism: string, initial: Uint8Array | null): void {
  // RFC 4422 3.1
  if (!/^[A-Z0-9_-]{1,20}$/.test(mechanism)) throw new SmtpUsageError('bad-argument', 'not the name of a SASL mechanism');
  // "=" is a response of no octets.
  const written = initial === null ? '' : initial.length === 0 ? ' =' : ` ${encoded(initial)}`;
  core.demand('authenticate');
  const line = `AUTH ${mechanism}`;
  const fits = line.length + written.length <= LONGEST_COMMAND;
  core.go('authenticate');
  core.exchange = { mechanism, initial: fits ? null : initial, challenges: 0, said: [], state: 'asked' };
  core.secrets = [];
  if (initial !== null) hide(core, initial);
  core.ask('AUTH', fits ? line + written : line, null, 0, fits && written !== '' ? `${line} ***` : line);
}

function respond(core: ClientCore, response: Uint8Array): void {
  const text = encoded(response);
  hide(core, response);
  core.exchange!.state = 'asked';
  core.ask('AUTH', text, null, 0, '***');
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
  core.go('auth-over');
  if (reply.code < 400) {
    core.authenticated = mechanism;
    core.events.push({ type: 'authenticated', mechanism, reply });
  } else core.events.push({ type: 'reply', verb: 'AUTH', reply });
}

function challenged(core: ClientCore, exchange: NonNullable<ClientCore['exchange']>, { lines }: Reply): void {
  const { initial } = exchange;
  const text = encodeUtf8(lines.join(''));
  const data = decodeBase64(text);
  const fault = data === null ? 'base64' : ++exchange.challenges > core.limits.challenges ? 'too-many-challenges' : null;
  if (fault !== null) {
    core.events.push({ type: 'fault', code: fault, line: '334 ***' });
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

/** A short text stands in many a line by chance. */
const SHORTEST_SECRET = 4;

/**
 * Neither what is sent is shown nor, as long as the exchange lasts, what it says, NUL and ^A (RFC 4616 2, RFC 7628 3.1) between: the server
 * may repeat both. Later a name of a user is a name like any.
 */
function hide(core: ClientCore, response: Uint8Array): void {
  const said = latin1(response, 0, response.length).split(/[^!-\xff]/);
  const isLong = (text: string): boolean => text.length >= SHORTEST_SECRET;
  core.secrets.push(...[encodeBase64(response)].filter(isLong));
  core.exchange!.said.push(...said.filter(isLong));
  // The longest first: a shorter one may be its beginning.
  core.exchange!.said.sort((a, b) => b.length - a.length);
}
