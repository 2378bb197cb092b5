import {
  type Command,
  type Deviation,
  type Failure,
  FORWARD_PATH,
  type PathKind,
  parseCommand,
  parseVerb,
  pathOctets,
  REVERSE_PATH,
  type Verb,
} from '@ehlo/grammar';
import { looksLikeAuth, showLine } from '../redact.ts';
import { ask } from './answer.ts';
import { beginAuth } from './auth.ts';
import { refuseChunk, takeChunk } from './chunk.ts';
import type { Core } from './core.ts';
import { believed, type EnvelopeRule, loweredPriority, MAIL_RULES, RCPT_RULES } from './envelope-rules.ts';
import type { FaultCode } from './events.ts';
import { CONDITIONS } from './guards.ts';
import { beginsTls, isOfRequest, speakAnotherProtocol } from './other-protocols.ts';
import { type EngineReply, REPLIES, type ReplyName } from './replies.ts';
import { findRow, GUARDS, type GuardRule, type Row } from './table.ts';
import { badAttribute, toldForwarded, toldIdentity, toldPeer, XCLIENT_ATTRIBUTES, XFORWARD_ATTRIBUTES } from './trusted.ts';

/** Reads and carries out one command line, if one has arrived. */
export function readCommand(core: Core): boolean {
  const { input, policy, state } = core;
  if (beginsTls(core)) return true;
  if (!input.readLine(policy.limits.commandLine)) return false;
  if (looksLikeAuth(input.bytes, input.from, input.to)) state.redact = true;
  if (policy.trace) core.events.push({ type: 'trace', from: 'client', line: shown(core) });
  if (isOfRequest(core)) speakAnotherProtocol(core, shown(core));
  else if (input.overlong) refuseLine(core, 'line-too-long', REPLIES.lineTooLong, policy.limits.commandLine);
  else if (!input.crlf && !policy.tolerate.has('bare-lf-line')) refuseLine(core, 'bare-lf-line', REPLIES.bareLfLine, input.to - input.from);
  else execute(core);
  return true;
}

function refuseLine(core: Core, code: FaultCode, reply: EngineReply, offset: number): void {
  const { bytes, from, to } = core.input;
  const verb = parseVerb(bytes, from, to);
  core.toHello = isHello(verb, core);
  refuse(core, verb, code, reply, offset);
}

/** Refuses a command. */
function refuse(core: Core, verb: Verb | null, code: FaultCode, reply: EngineReply, offset = 0): void {
  if (verb === 'RCPT') core.state.refusedRecipients++;
  if (verb === 'BDAT') refuseChunk(core, reply, code, shown(core));
  else core.fault(code, reply, shown(core), offset);
}

/** RFC 2033 4.1: the semantics of LHLO are those of EHLO; in SMTP it is a command like any that is not known. */
function isHello(verb: Verb | null, { policy }: Core): boolean {
  return verb === 'EHLO' || verb === 'HELO' || (verb === 'LHLO' && policy.protocol === 'lmtp');
}

function execute(core: Core): void {
  const { input, state } = core;
  const verb = parseVerb(input.bytes, input.from, input.to);
  // RFC 5321 3.1: after a 554 greeting "any intervening commands" get 503.
  if (verb === null) return core.fault('unknown-verb', state.phase === 'refused' ? REPLIES.onlyQuit : REPLIES.unknownVerb, shown(core));
  if (verb !== 'AUTH') state.redact = false;
  core.toHello = isHello(verb, core);
  if (verb === 'RCPT' && state.phase === 'mail') state.onlyRefused = true; // until it is accepted
  if (!HAVE_LIMITS.has(verb)) state.idleCommands++;
  const refusal = refusalOf(core, findRow(state.phase, verb));
  if (refusal !== null) {
    refuse(core, verb, refusal.fault, core.named(refusal.reply));
    if (refusal.closes !== undefined && core.state.phase !== 'closed') core.close(refusal.closes);
    return;
  }
  const parsed = parseCommand(input.bytes, core.dialect, input.from, input.to);
  if (parsed.ok) perform(core, parsed.value, input.crlf ? parsed.deviations : [...parsed.deviations, 'bare-lf-line']);
  else refuse(core, verb, parsed.code, replyTo(parsed), parsed.offset);
}

/** Verbs that do not count as idle: recipients and chunks have limits of their own, and who says QUIT leaves. */
const HAVE_LIMITS: ReadonlySet<Verb> = new Set(['RCPT', 'BDAT', 'QUIT']);

/** Too many commands came, and no message by them. */
const IDLE: GuardRule = { reply: 'tooManyIdle', fault: 'idle-commands', closes: 'idle-commands' };

/** Why a verb is refused, by the budget of idle commands or by the table; null if it is not. */
function refusalOf(core: Core, row: Row | undefined): GuardRule | null {
  if (core.state.idleCommands > core.policy.limits.idleCommands) return IDLE;
  if (row === undefined) return { reply: 'onlyQuit', fault: 'sequence' };
  for (const guard of row.guards ?? []) {
    if (!CONDITIONS[guard](core)) return GUARDS[guard];
  }
  if (row.refuse === undefined) return null;
  return { reply: row.refuse, fault: REPLIES[row.refuse].code === 502 ? 'not-implemented' : 'sequence' };
}

function perform(core: Core, command: Command, deviations: readonly Deviation[]): void {
  const { state } = core;
  switch (command.verb) {
    case 'EHLO':
    case 'HELO':
    case 'LHLO':
      return ask(core, { type: 'hello', verb: command.verb, name: command.name, deviations });
    case 'MAIL': {
      state.transactions++;
      if (breaks(core, MAIL_RULES, command)) return;
      const priority = loweredPriority(command.parameters, core);
      const parameters = believed(command.parameters, priority, core);
      return ask(core, {
        type: 'mail',
        reversePath: command.reversePath,
        wire: wireOf(core, REVERSE_PATH),
        parameters,
        priority,
        deviations,
      });
    }
    case 'RCPT':
      if (breaks(core, RCPT_RULES, command)) return;
      return ask(core, {
        type: 'rcpt',
        forwardPath: command.forwardPath,
        wire: wireOf(core, FORWARD_PATH),
        parameters: command.parameters,
        envelope: state.envelope!,
        deviations,
      });
    case 'DATA':
      return ask(core, { type: 'data', verb: 'DATA', envelope: state.envelope! });
    case 'BDAT':
      return takeChunk(core, command.size, command.last, shown(core));
    case 'RSET':
      core.giveUpTransaction();
      core.go('RSET');
      return core.reply(REPLIES.reset);
    case 'NOOP':
      return core.reply(REPLIES.noop);
    case 'VRFY':
    case 'EXPN':
      return ask(core, { type: 'info', verb: command.verb, argument: command.argument, smtpUtf8: command.smtpUtf8, deviations });
    case 'HELP':
      return ask(core, { type: 'info', verb: 'HELP', argument: command.argument, smtpUtf8: false, deviations });
    case 'ETRN':
      return ask(core, { type: 'info', verb: 'ETRN', argument: command.option + command.node, smtpUtf8: false, deviations });
    case 'QUIT':
      core.reply(core.named('quit'));
      return core.close('quit');
    case 'STARTTLS':
      return ask(core, { type: 'starttls' });
    case 'AUTH':
      return beginAuth(core, command.mechanism, command.initial);
    case 'XCLIENT':
      if (tellsBadly(core, command.attributes, XCLIENT_ATTRIBUTES)) return;
      return ask(core, {
        type: 'xclient',
        peer: toldPeer(state.peer, command.attributes),
        identity: toldIdentity(command.attributes),
      });
    case 'XFORWARD':
      if (tellsBadly(core, command.attributes, XFORWARD_ATTRIBUTES)) return;
      state.forwarded = toldForwarded(state.forwarded, command.attributes);
      return core.reply(REPLIES.xforward);
    default:
      // The other verbs have no row that lets them through.
      throw new Error(`${command.verb} has no row`);
  }
}

/** Refuses a command that breaks one of the rules of its kind. */
function breaks<C extends Command>(core: Core, rules: readonly EnvelopeRule<C>[], command: C): boolean {
  const rule = rules.find(({ broken }) => broken(command, core));
  if (rule !== undefined) refuse(core, command.verb, rule.fault, REPLIES[rule.reply]);
  return rule !== undefined;
}

/** Refuses facts that are not known or not well formed, and all that came with them. */
function tellsBadly(core: Core, attributes: ReadonlyMap<string, string>, known: readonly string[]): boolean {
  const bad = badAttribute(attributes, known);
  if (bad !== null)
    core.fault('parameter-value', { ...REPLIES.badArgument, lines: [`${bad} is not known or has no such value`] }, shown(core));
  return bad !== null;
}

/** The path of the command as it came. */
function wireOf({ input, dialect }: Core, kind: PathKind): Uint8Array {
  return pathOctets(input.bytes, kind, dialect, input.from, input.to);
}

function shown(core: Core): string {
  return showLine(core.input.bytes, core.input.from, core.input.to, core.state.redact);
}

/** The reply to a command that could not be read: what is wrong, and where. */
function replyTo(failure: Failure): EngineReply {
  return {
    ...REPLIES[replyName(failure)],
    section: failure.section,
    lines: [`${failure.message}, at octet ${failure.offset + 1} (${failure.section})`],
  };
}

function replyName(failure: Failure): ReplyName {
  if (failure.code === 'unknown-parameter' || failure.code === 'misplaced-parameter') return 'unknownParameter';
  if (failure.code === 'base64') return 'badBase64';
  if (failure.code === 'smtputf8') return 'asciiSender';
  if (failure.rule === 'Reverse-path') return 'badSender';
  return failure.rule === 'Forward-path' ? 'badRecipient' : 'badArgument';
}
