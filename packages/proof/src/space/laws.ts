// What must hold on every edge of the state space, whatever is done in whatever state.
import type { ServerOptions } from '@ehlo/engine';
import { ServerSession } from '@ehlo/engine';
import { AFTERWARDS, TIME } from './acts.ts';
import { keptOf, owedOf, spent, stateOf } from './state.ts';
import { type Edge, type State, settled, standing } from './walk.ts';

/** A law that does not hold on an edge: `null` if it does. */
type Law = (edge: Edge, options: ServerOptions) => string | null;

/** Each by its name; behaviours are those of test-vectors/behaviours.json. */
export const SPACE_LAWS: { readonly [name: string]: Law } = {
  'field-44: no recipients without a sender': ({ at: { session } }) =>
    (session.envelope === null && ['mail', 'rcpt', 'data', 'message'].includes(session.phase)) ||
    (session.phase === 'rcpt' && session.envelope!.recipients.length === 0)
      ? 'a transaction without its envelope'
      : null,

  'field-44: what is refused changes nothing': ({ from, act, snapshot, replies, at: { session } }) => {
    const refused = act.line !== undefined || act.name === 'no';
    if (!refused || replies.length !== 1 || replies[0]! < 400 || session.phase === 'closed') return null;
    if (
      from.snapshot === null ||
      snapshot === null ||
      LOSES.test(act.line ?? '') ||
      ['chunk', 'message', 'data', 'connect'].includes(from.snapshot.phase)
    )
      return null;
    if (session.phase !== from.snapshot.phase) return `${from.snapshot.phase} has become ${session.phase}`;
    return keptOf(snapshot) === keptOf(from.snapshot) ? null : `${keptOf(from.snapshot)} has become ${keptOf(snapshot)}`;
  },

  'field-45: each command gets one final reply': ({ from, act, snapshot, replies }, options) => {
    if (from.snapshot === null || snapshot === null) return null;
    const { recipients = [] } = snapshot.transaction.envelope ?? from.snapshot.transaction.envelope ?? {};
    const toMessage = options.preset === 'lmtp' ? recipients.length : 1;
    const sent = act.line === undefined ? 0 : act.last === true && isChunked(replies, options) ? toMessage : 1;
    // DATA that is accepted is answered by 354, and its message once more.
    const promised = snapshot.phase === 'data' && from.snapshot.phase !== 'data' ? toMessage : 0;
    const due = owedOf(from.snapshot, options) + sent + promised;
    if (snapshot.phase !== 'closed') {
      const owed = owedOf(snapshot, options);
      return due - replies.length === owed ? null : `${due} were due, ${replies.length} came, ${owed} are owed`;
    }
    const unasked = [421, 552].includes(replies.at(-1) ?? 0) ? 1 : 0;
    return replies.length <= due + unasked ? null : `${due} were due, ${replies.length} came`;
  },

  'field-46: nothing is said or told behind the end': ({ at }) => {
    if (at.session.phase !== 'closed') return null;
    for (const act of AFTERWARDS) {
      act.run(at);
      const { events, replies } = settled(at);
      if (events.length > 0 || replies.length > 0) return `${act.name} brings ${JSON.stringify({ events, replies })}`;
    }
    return at.session.wants === 'close' || at.session.wants === 'abort' ? null : `it wants ${at.session.wants}`;
  },

  'field-47: who speaks another protocol gets one reply, and is cut off': ({ from, act, replies, at: { session } }) => {
    const begins = from.snapshot?.phase === 'greeted' && !from.snapshot.facts.speaksSmtp && from.snapshot.facts.hello === null;
    if (!begins || !(act.name.startsWith('GET') || act.name === 'a ClientHello')) return null;
    return session.phase === 'closed' && replies.length === 1 && replies[0] === 421 ? null : `${session.phase}, ${replies}`;
  },

  'field-48: a budget of errors ends the session with 421': ({ at: { session }, replies, act, from }, options) => {
    if (!spent(session.counters, options) || act.name === 'lost' || from.snapshot?.phase === 'drain') return null;
    if (session.phase === 'drain') return null;
    return session.phase === 'closed' && replies.at(-1) === 421 ? null : `${session.counters.faults} faults, ${session.phase}, ${replies}`;
  },

  'an answer that was asked for has its effect': ({ taken, act, from }) =>
    taken || act.name === 'challenge' || act.name === 'discard' ? null : `${act.name} has none in ${from.name}`,

  'a session that is not over waits for something with an end': ({ at: { session } }) =>
    session.phase === 'closed' || Number.isFinite(session.deadline) ? null : `${session.phase} has no deadline`,

  'a session sleeps and wakes as it was': ({ snapshot, isNew, at }, options) => {
    if (!isNew || snapshot === null || snapshot.phase === 'closed') return null;
    const again = ServerSession.restore(options, snapshot, at.now).snapshot();
    return stateOf(again, options) === stateOf(snapshot, options) && keptOf(again) === keptOf(snapshot)
      ? null
      : `${stateOf(again, options)}`;
  },
};

/** RFC 3030 2: a chunk that is refused loses its transaction; EHLO, RSET and AUTH that fails move on. */
const LOSES = /^BDAT/;

/** Whether BDAT is a command of this session: where it is none it has one reply. */
function isChunked(replies: readonly number[], { extensions }: ServerOptions): boolean {
  return extensions?.includes('CHUNKING') !== false && replies[0] !== 421;
}

/** From each state silence alone ends the session, after at most so many limits have run out. */
export function endsBySilence(state: State, options: ServerOptions, most: number): boolean {
  const at = standing(state, options);
  for (let i = 0; i < most && at.session.phase !== 'closed'; i++) {
    TIME.run(at);
    settled(at);
  }
  return at.session.phase === 'closed';
}
