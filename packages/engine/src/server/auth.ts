import { decodeBase64, encodeBase64, octets } from '@ehlo/grammar';
import { SmtpUsageError } from '../error.ts';
import { showResponse } from '../redact.ts';
import type { AuthQuestion, FaultCode } from './events.ts';
import type { Machine } from './machine.ts';
import { beginsTls } from './other-protocols.ts';
import type { ReplyName } from './replies.ts';

/** Reads one response of the client, if it has arrived. */
export function readResponse(machine: Machine): boolean {
  const { input, policy } = machine;
  if (beginsTls(machine)) return true;
  if (!input.readLine(policy.limits.authLine)) return false;
  const { bytes, from, to } = input;
  if (policy.trace) machine.events.push({ type: 'trace', from: 'client', line: showResponse(bytes, from, to) });
  const response = decodeBase64(bytes, from, to);
  if (input.overlong) fail(machine, 'line-too-long', 'authLineTooLong');
  else if (input.broken) fail(machine, 'bare-lf-line', 'bareLfLine');
  else if (to - from === 1 && bytes[from] === ASTERISK) fail(machine, 'cancelled', 'authCancelled');
  else if (response === null) fail(machine, 'base64', 'badBase64');
  else machine.take('response', { response });
  return true;
}

const ASTERISK = 0x2a;

function fail(machine: Machine, code: FaultCode, name: ReplyName): void {
  machine.take('bad-response', { code, reply: machine.policy.replies[name] });
}

/** Sends a challenge: RFC 4954 4, "334" and nothing but base64. */
export function sendChallenge(machine: Machine, question: AuthQuestion, data: Uint8Array): boolean {
  if (question.type !== 'auth') throw new SmtpUsageError('not-auth', 'only an auth question can be answered by a challenge');
  if (machine.question !== question) return false;
  const wire = octets(`334 ${encodeBase64(data)}\r\n`);
  if (wire.length > machine.policy.limits.authLine)
    throw new SmtpUsageError('not-auth', `a challenge of ${data.length} octets is too long for a line`);
  machine.question = null;
  machine.take('challenged', { wire });
  return true;
}
