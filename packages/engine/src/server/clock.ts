import { expired, greet } from './answer.ts';
import type { Core } from './core.ts';
import type { LimitName } from './limits.ts';

/** Limits on how long the client is waited for. */
const CLIENTS: ReadonlySet<LimitName | null> = new Set<LimitName>(['commandTimeout', 'dataTimeout']);

/** The program has been given content: until it comes for more it is busy with that, and its slowness is not the client's. */
export function gave(core: Core): void {
  core.busySince = core.now;
}

/** The program comes for more: the client's time goes on where it stood. */
export function resumed(core: Core): void {
  if (core.busySince === Number.POSITIVE_INFINITY) return;
  if (isBusy(core)) core.timerEnds += core.now - core.busySince;
  core.busySince = Number.POSITIVE_INFINITY;
}

/** When the timer runs out: while the program is busy with content it is its own, for an answer that never comes. */
export function endsOf(core: Core): number {
  return isBusy(core) ? core.busySince + core.policy.limits.messageAnswer : core.timerEnds;
}

function isBusy({ timer, busySince }: Core): boolean {
  return busySince < Number.POSITIVE_INFINITY && CLIENTS.has(timer);
}

/** Lets time pass: what has run out is carried out. */
export function pass(core: Core, now: number): void {
  if (now > core.now) core.now = now;
  if (core.state.phase === 'closed') return;
  if (core.now >= core.flushEnds) core.giveUpReader();
  else if (core.now >= endsOf(core)) runOut(core);
}

function runOut(core: Core): void {
  const { question, timer } = core;
  const busy = isBusy(core);
  core.disarm();
  if (busy) {
    core.reply({ ...core.named('connectNoAnswer'), enhanced: '4.3.2' });
    core.close('timeout', 'messageAnswer');
  } else if (timer === 'faultDelay') {
    if (core.state.greeting !== null) greet(core);
    core.release();
    core.settle();
  } else if (question !== null) {
    core.question = null;
    expired(core, question);
    core.settle();
  } else if (timer === 'greetingDelay') core.state.held = false;
  else {
    if (timer !== 'tlsTimeout') core.reply(core.named('timeout'));
    core.close('timeout', timer!);
  }
}
