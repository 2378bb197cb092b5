// What must hold on every edge of a client's state space, whatever the server, the program and the transport do.
import type { ClientEvent } from '@ehlo/engine';
import { CLIENT_AFTERWARDS, CLIENT_TIME } from './acts.ts';
import { type ClientEdge, type ClientHistory, type ClientSetup, type ClientState, runOf } from './walk.ts';

/** A law that does not hold on an edge: `null` if it does. */
type Law = (edge: ClientEdge, setup: ClientSetup) => string | null;

/** Each by its name. */
export const CLIENT_SPACE_LAWS: { readonly [name: string]: Law } = {
  'each recipient has one outcome, and none is left at the end': ({ after: { events, sends }, at: { session } }) => {
    const told = outcomesOf(events).map(({ transaction, index }) => `${transaction}/${index}`);
    if (new Set(told).size < told.length) return 'one was told twice';
    const settled = events.filter(({ type }) => type === 'settled').length;
    return session.phase !== 'closed' || settled === sends ? null : `${settled} of ${sends} transactions are settled`;
  },

  'accepted is what 2yz to the end of a message says, and nothing else': ({ act, new: { events } }) => {
    const accepted = outcomesOf(events).filter(({ status }) => status === 'accepted');
    return accepted.length === 0 || (act.code !== undefined && act.code < 300) ? null : `accepted by ${act.name}`;
  },

  'whose message may have arrived is not told to be unsent': ({ new: { events }, from }) => {
    const [at, ...others] = from.name.match(/\b[a-z]+ by (?:DATA|BDAT)[^,]*/g) ?? [];
    const may = at !== undefined && others.length === 0 && at.startsWith('message ') && / accepted [1-9]/.test(at);
    return may && outcomesOf(events).some(({ status }) => status === 'unsent') ? 'its end was handed out' : null;
  },

  'without PIPELINING a command waits for the reply to the one before': ({ after: { due }, to }) =>
    due.length <= 1 || /offered [^,]*PIPELINING/.test(to.name) ? null : `${due.length} are due`,

  'TLS is followed by LHLO, EHLO or QUIT, and nothing is kept': ({ act, taken, new: { said }, at: { session } }) => {
    if (act.name !== 'secured' || !taken || session.phase === 'closed') return null;
    if (session.capabilities !== null) return 'what was offered is known still';
    return said === '' || /^(?:EHLO|LHLO|QUIT)\b/.test(said) ? null : JSON.stringify(said);
  },

  'behind QUIT nothing is said': ({ before, new: { said } }) => (hasQuit(before) && said !== '' ? JSON.stringify(said) : null),

  'a call that is not for now changes nothing': ({ taken, from, to, new: { said, events } }) =>
    taken || (to === from && said === '' && events.length === 0) ? null : `${from.name} has become ${to.name}`,

  'nothing is said or told behind the end': ({ at, to }) => {
    if (to.name !== 'closed') return null;
    for (const act of CLIENT_AFTERWARDS) {
      act.run(at);
      const [event, bytes] = [at.session.nextEvent(), at.session.nextOutput()];
      // The last words may wait for the transport, but there are no new ones.
      if (event !== null || (bytes !== null && !at.stalled)) return `${act.name} brings ${JSON.stringify({ event, bytes })}`;
    }
    return at.session.wants === 'close' ? null : `it wants ${at.session.wants}`;
  },

  'what is awaited of the server has an end': ({ at: { session, stalled }, after: { due }, to }) =>
    to.name === 'closed' ||
    stalled ||
    session.wants !== 'input' ||
    due.length === 0 ||
    due[0] === 'END' ||
    Number.isFinite(session.deadline)
      ? null
      : `${to.name} has no deadline`,
};

function outcomesOf(events: readonly ClientEvent[]): readonly Extract<ClientEvent, { type: 'outcome' }>[] {
  return events.filter((event) => event.type === 'outcome');
}

function hasQuit({ said }: ClientHistory): boolean {
  return /(?:^|\n)QUIT\r\n$/.test(said);
}

/** From each state silence alone leads to the end, or to where it is the program's turn, after at most so many limits have run out. */
export function isLedOutBySilence(state: ClientState, setup: ClientSetup, most: number): boolean {
  const { at } = runOf(setup, state.path);
  for (let i = 0; i < most && at.session.phase !== 'closed'; i++) if (!CLIENT_TIME.run(at)) break;
  return at.session.phase === 'closed' || !Number.isFinite(at.session.deadline);
}
