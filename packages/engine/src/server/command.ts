import { type Command, type Deviation, type Failure, parseCommand, parseVerb, type Reply, type Verb } from '@ehlo/grammar';
import { looksLikeAuth, showLine } from '../redact.ts';
import { ask } from './answer.ts';
import { beginAuth } from './auth.ts';
import type { Core } from './core.ts';
import type { FaultCode } from './events.ts';
import { CONDITIONS } from './guards.ts';
import { REPLIES, type ReplyName } from './replies.ts';
import { findRow, GUARDS, type Row } from './table.ts';

/** Reads and carries out one command line, if one has arrived. */
export function readCommand(core: Core): boolean {
  const { input, policy, state } = core;
  if (state.phase === 'greeted' && input.peek() === TLS_HANDSHAKE) return speaksAnotherProtocol(core, 'TLS ClientHello');
  if (!input.readLine(policy.limits.commandLine)) return false;
  if (looksLikeAuth(input.bytes, input.from, input.to)) state.redact = true;
  if (policy.trace) core.events.push({ type: 'trace', from: 'client', line: shown(core) });
  if (input.overlong) refuseLine(core, 'line-too-long', REPLIES.lineTooLong, policy.limits.commandLine);
  else if (!input.crlf && !policy.tolerate.has('bare-lf-line')) refuseLine(core, 'bare-lf-line', REPLIES.bareLfLine, input.to - input.from);
  else execute(core);
  return true;
}

function refuseLine(core: Core, code: FaultCode, reply: Reply, offset: number): void {
  const { bytes, from, to } = core.input;
  if (parseVerb(bytes, from, to) === 'BDAT') refuseChunk(core, reply, code);
  else core.fault(code, reply, shown(core), offset);
}

/** The first octet of a TLS record that holds a handshake (RFC 8446 5.1); no SMTP command begins with it. */
const TLS_HANDSHAKE = 0x16;

/** Methods of HTTP: a browser was sent here to smuggle commands in its request. */
const HTTP: ReadonlySet<string> = new Set(['GET', 'POST', 'HEAD', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH', 'PRI']);

function speaksAnotherProtocol(core: Core, line: string): boolean {
  const reply = core.named('wrongProtocol');
  core.events.push({ type: 'fault', code: 'wrong-protocol', offset: 0, reply, line });
  core.reply(reply);
  core.close('wrong-protocol');
  return true;
}

function execute(core: Core): void {
  const { input, state } = core;
  const verb = parseVerb(input.bytes, input.from, input.to);
  if (verb === null) {
    const line = shown(core);
    if (state.phase === 'greeted' && HTTP.has(line.slice(0, Math.max(0, line.indexOf(' '))))) speaksAnotherProtocol(core, line);
    // RFC 5321 3.1: after a 554 greeting "any intervening commands" get 503.
    else core.fault('unknown-verb', state.phase === 'refused' ? REPLIES.onlyQuit : REPLIES.unknownVerb, line);
    return;
  }
  if (verb !== 'AUTH') state.redact = false;
  if (verb === 'RCPT' && state.phase === 'mail') state.refusedRecipients++; // until it is accepted
  const row = findRow(state.phase, verb);
  const refusal = refusalOf(core, row, verb);
  if (refusal !== null) {
    if (verb === 'BDAT') refuseChunk(core, REPLIES[refusal.reply], refusal.fault);
    else core.fault(refusal.fault, REPLIES[refusal.reply], shown(core));
    return;
  }
  const parsed = parseCommand(input.bytes, core.dialect, input.from, input.to);
  if (!parsed.ok) core.fault(parsed.code, replyTo(parsed), shown(core), parsed.offset);
  else perform(core, parsed.value, input.crlf ? parsed.deviations : [...parsed.deviations, 'bare-lf-line']);
}

/** RFC 3030 2: what follows BDAT is the chunk, never commands; so the size has to be known, and is read before the reply. */
function refuseChunk(core: Core, reply: Reply, fault: FaultCode): void {
  const { input, policy, state } = core;
  const parsed = parseCommand(input.bytes, core.dialect, input.from, input.to);
  const size = parsed.ok && parsed.value.verb === 'BDAT' && !input.overlong ? parsed.value.size : Number.POSITIVE_INFINITY;
  if (size <= policy.limits.drain) {
    core.events.push({ type: 'fault', code: fault, offset: 0, reply, line: shown(core) });
    state.faults++;
    state.refusedChunk = { left: size, reply };
    return;
  }
  core.fault(fault, core.named('bdatLost'), shown(core), parsed.ok ? 0 : parsed.offset);
  if (core.state.phase !== 'closed') core.close('bdat');
}

/** Reads on through a refused chunk; its reply comes when the last octet has. */
export function readRefusedChunk(core: Core, chunk: { left: number; readonly reply: Reply }): boolean {
  const { input, state, policy } = core;
  if (chunk.left > 0) {
    if (!input.readChunk()) return false;
    const end = Math.min(input.to, input.from + chunk.left);
    chunk.left -= end - input.from;
    input.advance(end);
    if (chunk.left > 0) return true;
  }
  state.refusedChunk = null;
  const spent = state.faults >= policy.limits.faults;
  core.reply(spent ? core.named('tooManyFaults') : chunk.reply);
  if (spent) core.close('faults');
  return true;
}

/** Why the table refuses a verb; null if it does not. */
function refusalOf(core: Core, row: Row | undefined, verb: Verb): { readonly reply: ReplyName; readonly fault: FaultCode } | null {
  if (row === undefined) return { reply: 'onlyQuit', fault: 'sequence' };
  for (const guard of row.guards ?? []) {
    if (!CONDITIONS[guard](core)) return GUARDS[guard];
  }
  if (row.refuse === undefined) return null;
  return { reply: row.refuse, fault: REPLIES[row.refuse].code === 502 || verb === 'BDAT' ? 'not-implemented' : 'sequence' };
}

function perform(core: Core, command: Command, deviations: readonly Deviation[]): void {
  const { state, policy } = core;
  switch (command.verb) {
    case 'EHLO':
    case 'HELO':
      return ask(core, { type: 'hello', verb: command.verb, name: command.name, deviations });
    case 'MAIL':
      // RFC 1870 6.1 (2): a declared size beyond the fixed maximum is refused at once.
      if ((command.parameters.size ?? 0) > policy.limits.messageSize) return core.fault('too-large', REPLIES.tooLarge, shown(core));
      return ask(core, { type: 'mail', reversePath: command.reversePath, parameters: command.parameters, deviations });
    case 'RCPT':
      return ask(core, {
        type: 'rcpt',
        forwardPath: command.forwardPath,
        parameters: command.parameters,
        envelope: state.envelope!,
        deviations,
      });
    case 'DATA':
      return ask(core, { type: 'data', envelope: state.envelope! });
    case 'RSET':
      core.giveUpTransaction();
      core.go('RSET');
      return core.reply(REPLIES.reset);
    case 'NOOP':
      return core.reply(REPLIES.noop);
    case 'VRFY':
    case 'EXPN':
    case 'HELP':
      return ask(core, { type: 'info', verb: command.verb, argument: command.argument, deviations });
    case 'QUIT':
      core.reply(core.named('quit'));
      return core.close('quit');
    case 'STARTTLS':
      return ask(core, { type: 'starttls' });
    case 'AUTH':
      return beginAuth(core, command.mechanism, command.initial);
    default:
      // The other verbs have no row that lets them through.
      throw new Error(`${command.verb} has no row`);
  }
}

function shown(core: Core): string {
  return showLine(core.input.bytes, core.input.from, core.input.to, core.state.redact);
}

/** The reply to a command that could not be read: what is wrong, and where. */
function replyTo(failure: Failure): Reply {
  const { code, enhanced } = REPLIES[replyName(failure)];
  return { code, enhanced: enhanced!, lines: [`${failure.message}, at octet ${failure.offset + 1} (${failure.section})`] };
}

function replyName(failure: Failure): ReplyName {
  if (failure.code === 'unknown-parameter' || failure.code === 'misplaced-parameter') return 'unknownParameter';
  if (failure.code === 'base64') return 'badBase64';
  if (failure.rule === 'Reverse-path') return 'badSender';
  return failure.rule === 'Forward-path' ? 'badRecipient' : 'badArgument';
}
