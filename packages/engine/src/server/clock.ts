import { expired } from './answer.ts';
import type { Core } from './core.ts';

/** Lets time pass: what has run out is carried out. */
export function pass(core: Core, now: number): void {
  if (now > core.now) core.now = now;
  if (core.state.phase === 'closed') return;
  if (core.now >= core.flushEnds) {
    // The peer does not read: nothing that we could still say would reach it.
    core.dropOutput();
    core.close('timeout', 'flushTimeout');
  } else if (core.now >= core.timerEnds) runOut(core);
}

function runOut(core: Core): void {
  const { question, timer } = core;
  core.disarm();
  if (timer === 'faultDelay') {
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
