import {
  type Command,
  type Deviation,
  type Failure,
  FORWARD_PATH,
  type Path,
  type PathKind,
  parseArguments,
  parseCommand,
  parseVerb,
  REVERSE_PATH,
  type Reply,
  type Verb,
  writtenPath,
} from '@ehlo/grammar';
import { looksLikeAuth, showLine } from '../redact.ts';
import { believed, loweredPriority } from './believed.ts';
import type { ChunkFault, Fault, OwnCommand } from './change.ts';
import { attributeReply } from './effects.ts';
import type { FaultCode, Question } from './events.ts';
import type { Machine } from './machine.ts';
import type { OwnVerb } from './options.ts';
import { beginsTls, isOfRequest } from './other-protocols.ts';
import { ownVerbOf, parseOwnCommand } from './own-verb.ts';
import type { GuardCall } from './program.ts';
import type { ReplyName } from './replies.ts';
import type { Guard } from './row.ts';
import { GUARDS } from './table.ts';
import { toldIdentity, toldPeer } from './trusted.ts';

type AnyCommand = Command | OwnCommand;

/** Reads and carries out one command line, if one has arrived; a line that a bare LF has broken has its one reply there. */
export function readCommand(machine: Machine): boolean {
  const { input, policy } = machine;
  if (beginsTls(machine)) return true;
  if (!input.readLine(policy.limits.commandLine)) return false;
  const { bytes, from, to } = input;
  const verb = parseVerb(bytes, from, to);
  if ((verb === null || verb === 'AUTH') && !machine.facts.redact && looksLikeAuth(bytes, from, to)) machine.learn({ redact: true });
  if (policy.trace) machine.events.push({ type: 'trace', from: 'client', line: shown(machine) });
  if (isOfRequest(machine, verb)) machine.take('other-protocol', { line: shown(machine) });
  else if (input.rest) return true;
  else if (input.overlong) refuse(machine, verb, 'line-too-long', policy.replies.lineTooLong, policy.limits.commandLine);
  else if (input.broken) refuse(machine, verb, 'bare-lf-line', policy.replies.bareLfLine, to - from);
  else {
    const own = ownVerbOf(machine);
    if (own !== null) execute(machine, 'extension', own);
    else if (verb !== null) execute(machine, verb, null);
    else refuse(machine, null, 'unknown-verb', policy.replies[machine.stepOf('unknown').row.refuse!]);
  }
  return true;
}

/** Takes the row of a command, or says why not. */
function execute(machine: Machine, verb: Verb | 'extension', own: OwnVerb | null): void {
  const { input, policy } = machine;
  if (verb !== 'AUTH' && machine.facts.redact) machine.learn({ redact: false });
  const step = machine.stepOf(verb);
  const { row } = step;
  if (step.idle) machine.counts.idleCommands++;
  const failing = firstFailing(machine, step.guards, null);
  if (failing !== null) return refuseBy(machine, verb, failing);
  if (row.refuse !== undefined) {
    const reply = policy.replies[row.refuse];
    return refuse(machine, verb, reply.code === 502 ? 'not-implemented' : 'sequence', reply);
  }
  const parsed =
    own === null ? parseArguments(verb as Verb, input.bytes, machine.dialect, input.from, input.to) : parseOwnCommand(machine, own);
  if (!parsed.ok) return refuse(machine, verb, parsed.code, replyTo(machine, parsed), parsed.offset);
  if (verb === 'MAIL') machine.counts.transactions++;
  const command = parsed.value;
  const wrong = firstFailing(machine, step.checks, command);
  if (wrong !== null) return refuseBy(machine, verb, wrong, command);
  if (row.asks === undefined) return machine.carryOut(step, command);
  machine.ask(questionOf(machine, command, input.crlf ? parsed.deviations : [...parsed.deviations, 'bare-lf-line']), step);
}

function firstFailing(machine: Machine, guards: readonly GuardCall[], command: AnyCommand | null): Guard | null {
  for (const { name, holds } of guards) if (!holds(machine, command as never)) return name;
  return null;
}

/** Refuses a command by a guard that does not hold. */
function refuseBy(machine: Machine, verb: Verb | 'extension', guard: Guard, command?: AnyCommand): void {
  const { fault, reply, closes } = GUARDS[guard];
  const isDetailed = command !== undefined && !('phases' in command) && (command.verb === 'XCLIENT' || command.verb === 'XFORWARD');
  refuse(machine, verb, fault, isDetailed ? attributeReply(machine, command) : machine.policy.replies[reply], 0, closes);
}

/** Refuses a command. RFC 3030 2: the octets of a chunk follow its BDAT, taken or not. */
function refuse(
  machine: Machine,
  verb: Verb | 'extension' | null,
  code: FaultCode,
  reply: Reply,
  offset = 0,
  closes?: Fault['closes'],
): void {
  const fault: Fault = { verb, code, reply, line: shown(machine), offset, closes };
  if (verb === 'BDAT' && closes === undefined) machine.take('chunk-refused', { ...fault, ...chunkOf(machine) } satisfies ChunkFault);
  else machine.take('fault', fault);
}

/** The chunk that follows a refused BDAT: its size, where that can be known. */
function chunkOf({ input, dialect }: Machine): Pick<ChunkFault, 'size' | 'last' | 'offset'> {
  const parsed = parseCommand(input.bytes, dialect, input.from, input.to);
  if (!parsed.ok || parsed.value.verb !== 'BDAT')
    return { size: Number.POSITIVE_INFINITY, last: false, offset: parsed.ok ? 0 : parsed.offset };
  const { size, last } = parsed.value;
  return { size: input.overlong || input.broken ? Number.POSITIVE_INFINITY : size, last, offset: 0 };
}

/** What the program is asked about a command. */
function questionOf(machine: Machine, command: AnyCommand, deviations: readonly Deviation[]): Question {
  const { facts, transaction } = machine;
  if ('phases' in command)
    return { type: 'command', verb: command.verb, argument: command.argument, envelope: transaction.envelope, deviations };
  switch (command.verb) {
    case 'EHLO':
    case 'HELO':
    case 'LHLO':
      return { type: 'hello', verb: command.verb, name: command.name, deviations };
    case 'MAIL': {
      const priority = loweredPriority(command.parameters, machine);
      const parameters = believed(command.parameters, priority, machine);
      return {
        type: 'mail',
        reversePath: command.reversePath,
        wire: wireOf(machine, command.reversePath, REVERSE_PATH),
        parameters,
        priority,
        deviations,
      };
    }
    case 'RCPT': {
      const { forwardPath, parameters } = command;
      return {
        type: 'rcpt',
        forwardPath,
        wire: wireOf(machine, forwardPath, FORWARD_PATH),
        parameters,
        envelope: transaction.envelope!,
        deviations,
      };
    }
    case 'DATA':
      return { type: 'data', verb: 'DATA', envelope: transaction.envelope! };
    case 'VRFY':
    case 'EXPN':
      return { type: 'info', verb: command.verb, argument: command.argument, smtpUtf8: command.smtpUtf8, deviations };
    case 'HELP':
      return { type: 'info', verb: 'HELP', argument: command.argument, smtpUtf8: false, deviations };
    case 'ETRN':
      return { type: 'info', verb: 'ETRN', argument: command.option + command.node, smtpUtf8: false, deviations };
    case 'STARTTLS':
      return { type: 'starttls' };
    case 'XCLIENT':
      return { type: 'xclient', peer: toldPeer(facts.peer, command.attributes), identity: toldIdentity(command.attributes) };
    default:
      throw new Error(`nobody is asked about ${command.verb}`);
  }
}

/** The path of the command as it came. */
function wireOf({ input, dialect }: Machine, path: Path, kind: PathKind): string {
  return writtenPath(input.bytes, path, kind, dialect, input.from, input.to);
}

function shown({ input, facts }: Machine): string {
  return showLine(input.bytes, input.from, input.to, facts.redact);
}

/** The reply to a command that could not be read: what is wrong, and where. */
function replyTo({ policy }: Machine, failure: Failure): Reply {
  const { message, offset, section } = failure;
  return { ...policy.replies[replyName(failure)], section, lines: [`${message}, at octet ${offset + 1} (${section})`] } as Reply;
}

function replyName(failure: Failure): ReplyName {
  if (failure.code === 'unknown-parameter' || failure.code === 'misplaced-parameter') return 'unknownParameter';
  if (failure.code === 'base64') return 'badBase64';
  if (failure.code === 'smtputf8') return 'asciiSender';
  if (failure.rule === 'Reverse-path') return 'badSender';
  return failure.rule === 'Forward-path' ? 'badRecipient' : 'badArgument';
}
