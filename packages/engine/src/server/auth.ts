import { decodeBase64, encodeBase64, octets } from '@ehlo/grammar';
import { SmtpUsageError } from '../error.ts';
import { copy } from '../octets.ts';
import { showLine, showResponse } from '../redact.ts';
import { Secret } from '../secret.ts';
import { ask } from './answer.ts';
import type { Core } from './core.ts';
import type { AuthQuestion, FaultCode } from './events.ts';
import { mechanisms } from './offer.ts';
import { beginsTls } from './other-protocols.ts';
import { REPLIES, type ReplyName } from './replies.ts';

/** RFC 4954 4: `AUTH mechanism [initial-response]`. */
export function beginAuth(core: Core, mechanism: string, initial: Uint8Array | null): void {
  if (!mechanisms(core).includes(mechanism)) {
    const { bytes, from, to } = core.input;
    return core.fault('mechanism', REPLIES.unknownMechanism, showLine(bytes, from, to, true));
  }
  core.go('AUTH');
  core.state.exchange = { mechanism, step: 0 };
  askStep(core, initial);
}

/** Reads one response of the client, if it has arrived. */
export function readResponse(core: Core): boolean {
  const { input, policy } = core;
  if (beginsTls(core)) return true;
  if (!input.readLine(policy.limits.authLine)) return false;
  const { bytes, from, to } = input;
  if (policy.trace) core.events.push({ type: 'trace', from: 'client', line: showResponse(bytes, from, to) });
  const response = decodeBase64(bytes, from, to);
  if (input.overlong) failAuth(core, 'line-too-long', 'authLineTooLong');
  else if (!input.crlf && !policy.tolerate.has('bare-lf-line')) failAuth(core, 'bare-lf-line', 'bareLfLine');
  else if (to - from === 1 && bytes[from] === ASTERISK) failAuth(core, 'cancelled', 'authCancelled');
  else if (response === null) failAuth(core, 'base64', 'badBase64');
  else askStep(core, response);
  return true;
}

const ASTERISK = 0x2a;

/** Sends a challenge: RFC 4954 4, "334" and nothing but base64. */
export function sendChallenge(core: Core, question: AuthQuestion, data: Uint8Array): boolean {
  if (question.type !== 'auth') throw new SmtpUsageError('not-auth', 'only an auth question can be answered by a challenge');
  if (core.question !== question) return false;
  const wire = octets(`334 ${encodeBase64(data)}\r\n`);
  if (wire.length > core.policy.limits.authLine)
    throw new SmtpUsageError('not-auth', `a challenge of ${data.length} octets is too long for a line`);
  core.question = null;
  core.state.exchange!.step++;
  if (core.policy.trace) core.events.push({ type: 'trace', from: 'server', line: '334 ***' });
  core.send(wire);
  return true;
}

/** Ends the exchange without success. */
export function endAuth(core: Core): void {
  core.state.exchange = null;
  core.go('auth-over');
}

function failAuth(core: Core, code: FaultCode, reply: ReplyName): void {
  const line = `AUTH ${core.state.exchange!.mechanism} ***`;
  endAuth(core);
  core.fault(code, REPLIES[reply], line);
}

function askStep(core: Core, response: Uint8Array | null): void {
  const { mechanism, step } = core.state.exchange!;
  // A copy: the octets outlive the line, which is only lent.
  ask(core, { type: 'auth', mechanism, step, response: response === null ? null : new Secret(copy(response)) });
}
