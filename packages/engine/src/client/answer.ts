import type { Reply } from '@ehlo/grammar';
import { showText } from '../escape.ts';
import { SHOWN } from '../redact.ts';
import { readCapabilities } from './capabilities.ts';
import type { Asked, ClientCore, Due, PlainCommand } from './core.ts';
import { advance, answerEarly, TRANSACTION_ANSWERS } from './transaction.ts';

/** Carries out a reply: it answers what was asked first and is not answered yet, or nothing. */
export function answer(core: ClientCore, reply: Reply, line: string): void {
  const due = core.due[0];
  // RFC 5321 3.8, 4.2.1: 421 may come at any time, and in the place of any reply.
  const closing = reply.code === 421;
  // A refusal may have begun in the middle of the message, and end behind it.
  const premature = core.premature && !(due?.to === 'END' && reply.code >= 400);
  if (due === undefined || !due.live || premature) return closing ? core.close('closing', reply) : answerEarly(core, reply, line);
  core.premature = false;
  if (!fits(due.to, reply.code)) return core.fault('unexpected-code', line);
  // What 421 answers was not refused, it was not looked at; but a message that was sent has its answer by it.
  if (closing && due.to !== 'END' && due.to !== 'QUIT') return core.close('closing', reply);
  core.due.shift();
  core.flight -= due.size;
  carryOut(core, reply, due);
  if (closing) core.close('closing', reply);
  if (core.phase === 'closed') return;
  advance(core);
  core.settle();
}

/** RFC 5321 4.3.2: the first digit decides. */
function fits(to: Asked, code: number): boolean {
  const first = Math.floor(code / 100);
  return first > 3 || (to === 'AUTH' ? first === 2 || code === 334 : first === (to === 'DATA' ? 3 : 2));
}

function carryOut(core: ClientCore, reply: Reply, due: Due): void {
  const yes = reply.code < 400;
  if (due.transaction !== null) return TRANSACTION_ANSWERS[due.to as keyof typeof TRANSACTION_ANSWERS](core, reply, due, due.transaction);
  switch (due.to) {
    case 'GREETING':
      if (!yes) return core.leave('refused', reply);
      core.events.push({ type: 'greeting', reply });
      core.go('welcome');
      return sayHello(core);
    case 'EHLO':
    case 'HELO':
    case 'LHLO':
      return yes ? hello(core, due.to, reply) : helloRefused(core, due.to, reply);
    case 'STARTTLS':
      if (!yes) return startTlsRefused(core, reply);
      core.events.push({ type: 'upgrade' });
      core.go('upgrade');
      return;
    case 'AUTH':
      return core.feature('auth')!.answered(core, reply);
    case 'QUIT':
      return core.over('quit');
    case 'RSET':
      return yes ? askCommand(core, core.command!) : core.close('refused', reply);
    default:
      core.go('answer');
      core.events.push({ type: 'reply', verb: core.command!.verb, reply });
  }
}

/** RFC 3030 2: after a chunk that failed RSET "MUST be issued to clear the transaction before additional commands may be sent". */
export function askCommand(core: ClientCore, command: PlainCommand): void {
  const { line, utf8 } = command;
  core.command = command;
  if (core.half) core.ask('RSET');
  else core.ask('COMMAND', line, null, 0, line, utf8);
  core.half = false;
}

/** RFC 5321 4.1.1.1, RFC 2033 4.1 */
export function sayHello(core: ClientCore): void {
  const verb = core.options.protocol === 'lmtp' ? 'LHLO' : 'EHLO';
  core.ask(verb, `${verb} ${core.options.hostname}`);
}

function hello(core: ClientCore, verb: 'EHLO' | 'HELO' | 'LHLO', reply: Reply): void {
  const { starttls = 'opportunistic' } = core.options;
  core.capabilities = readCapabilities(verb, reply, core.tls !== null, (quirk, line) =>
    core.events.push({ type: 'quirk', quirk, line: showText(line, SHOWN) }),
  );
  core.events.push({ type: 'hello', capabilities: core.capabilities });
  core.go('hello');
  if (starttls === 'off' || core.tls !== null || core.quitting) return;
  if (core.offers('STARTTLS')) askStartTls(core);
  else if (starttls === 'required') core.leave('tls', null);
}

/** RFC 5321 3.2, 4.1.4: an old server does not know EHLO. Where TLS is required, HELO would be the way around it. */
function helloRefused(core: ClientCore, verb: 'EHLO' | 'HELO' | 'LHLO', reply: Reply): void {
  const { code } = reply;
  const unknown = verb === 'EHLO' && code >= 500 && code <= 504;
  if (!unknown || core.options.starttls === 'required') return core.leave('refused', reply);
  core.ask('HELO', `HELO ${core.options.hostname}`);
}

export function askStartTls(core: ClientCore): void {
  core.go('starttls');
  core.ask('STARTTLS');
}

/** RFC 3207 4.1: "the client needs to decide whether or not to continue". */
function startTlsRefused(core: ClientCore, reply: Reply): void {
  if (core.options.starttls === 'required') return core.leave('tls', reply);
  core.go('starttls-refused');
  core.events.push({ type: 'reply', verb: 'STARTTLS', reply });
}
