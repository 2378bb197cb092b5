// What the rows of the session's table do.
import { showText } from '../escape.ts';
import { SHOWN } from '../redact.ts';
import { readCapabilities } from './capabilities.ts';
import type { ClientCore } from './core.ts';

export function tellGreeting({ events, reply }: ClientCore): void {
  events.push({ type: 'greeting', reply });
}

/** RFC 5321 4.1.1.1, RFC 2033 4.1 */
export function sayHello(core: ClientCore): void {
  const verb = core.options.protocol === 'lmtp' ? 'LHLO' : 'EHLO';
  core.ask(verb, `${verb} ${core.options.hostname}`);
}

export function sayHelo(core: ClientCore): void {
  core.ask('HELO', `HELO ${core.options.hostname}`);
}

export function takeOffer(core: ClientCore): void {
  const { events, reply, answered, tls } = core;
  core.capabilities = readCapabilities(answered!.to as 'EHLO' | 'HELO' | 'LHLO', reply, tls !== null, (quirk, line) =>
    events.push({ type: 'quirk', quirk, line: showText(line, SHOWN) }),
  );
  events.push({ type: 'hello', capabilities: core.capabilities });
}

/** RFC 3207 4.2 */
export function forgetOffer(core: ClientCore): void {
  core.capabilities = null;
}

export function sayStarttls(core: ClientCore): void {
  core.ask('STARTTLS');
}

export function tellUpgrade({ events }: ClientCore): void {
  events.push({ type: 'upgrade' });
}

export function sayCommand(core: ClientCore): void {
  const { line, utf8 } = core.command!;
  core.ask('COMMAND', line, null, 0, line, utf8);
}

export function tellAnswer({ events, reply, command }: ClientCore): void {
  events.push({ type: 'reply', verb: command!.verb, reply });
}

export function tellStarttlsRefused({ events, reply }: ClientCore): void {
  events.push({ type: 'reply', verb: 'STARTTLS', reply });
}

export function leaveRefused(core: ClientCore): void {
  core.leave(core.stage, 'refused', core.reply);
}

export function leaveWithoutTls(core: ClientCore): void {
  core.leave('tls', 'tls', core.phase === 'starttls' ? core.reply : null);
}

export function leaveAsked(core: ClientCore): void {
  core.leave('hello', 'quit', null);
}

export function sayQuit(core: ClientCore): void {
  core.ask('QUIT');
}

/** Reports the outcomes that are not decided. */
export function settleRest(core: ClientCore): void {
  const { cause, reply } = core.closing!;
  for (const transaction of core.transactions) transaction.end(core.stageOf(transaction), cause, reply);
}

export function dropAll(core: ClientCore): void {
  core.body = core.exchange = null;
  for (const list of [core.transactions, core.output, core.due]) list.length = 0;
  core.input.clear();
}

export function tellClosed({ events, closing }: ClientCore): void {
  events.push({ type: 'closed', ...closing! });
}
