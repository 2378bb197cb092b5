// The state space of a server session, walked: from each state everything is done that can be done, on the engine itself.
import { type Question, type ServerEvent, type ServerOptions, ServerSession, type Snapshot } from '@ehlo/engine';
import { latin1 } from '@ehlo/grammar';
import { type Act, actsAwake, actsOf, type Standing } from './acts.ts';
import { stateOf } from './state.ts';

/** A state, and how it was come to first. */
export interface State {
  readonly name: string;
  readonly number: number;
  /** Null in AUTH and in the hand-over to TLS: there a session can not sleep. */
  readonly snapshot: Snapshot | null;
  readonly by: { readonly from: State; readonly act: Act } | null;
}

/** What came of an act in a state. */
export interface Edge {
  readonly from: State;
  readonly act: Act;
  readonly to: State;
  /** Whether `to` is seen for the first time. */
  readonly isNew: boolean;
  readonly events: readonly ServerEvent[];
  /** Code by code. */
  readonly replies: readonly number[];
  /** The session as it stands behind the act, and as a snapshot, where it has one: `to.snapshot` is that of the first to come here. */
  readonly at: Standing;
  readonly snapshot: Snapshot | null;
  /** Whether the answer had an effect. */
  readonly taken: boolean;
}

const NOTICES: ReadonlySet<string> = new Set(['chunk', 'aborted', 'reset', 'fault', 'trace', 'unacknowledged', 'closed']);

/** Walks breadth first over all states that a session with these options can come to; calls for each edge. Returns the states. */
export function walk(options: ServerOptions, onEdge: (edge: Edge) => void = () => {}, most: number = MOST): readonly State[] {
  const states = new Map<string, State>();
  const first = new ServerSession(options);
  const beginning: Standing = { session: first, question: null, now: 0 };
  first.tick(0);
  settled(beginning);
  const start = stateNamed(states, beginning, options, null);
  const queue: State[] = [start];
  for (let state = queue.shift(); state !== undefined; state = queue.shift()) {
    if (state.name.startsWith('closed')) continue;
    for (const act of state.snapshot === null ? actsAwake(standing(state, options)) : actsOf(state.snapshot)) {
      const before = states.size;
      const at = standing(state, options);
      const taken = act.run(at);
      const { events, replies } = settled(at);
      const to = stateNamed(states, at, options, { from: state, act });
      const isNew = states.size > before;
      if (isNew) queue.push(to);
      if (states.size > most) throw new Error(`more than ${most} states, the last one: ${to.name}`);
      onEdge({ from: state, act, to, isNew, events, replies, at, snapshot: snapshotAt(at), taken });
    }
  }
  return [...states.values()];
}

/** A space that is not finite would be noticed. */
const MOST = 200_000;

/** The session in this state, made anew. */
export function standing({ snapshot, by }: State, options: ServerOptions): Standing {
  if (snapshot === null) {
    const at = standing(by!.from, options);
    by!.act.run(at);
    settled(at);
    return at;
  }
  const at: Standing = { session: ServerSession.restore(options, snapshot, 0), question: null, now: 0 };
  settled(at);
  return at;
}

/** Takes all that a session tells and says, as a transport does that takes it at once. */
export function settled(at: Standing): Pick<Edge, 'events' | 'replies'> {
  const { session } = at;
  const events: ServerEvent[] = [];
  let said = '';
  for (let more = true; more; ) {
    more = false;
    for (let event = session.nextEvent(); event !== null; event = session.nextEvent()) {
      events.push(event);
      if (!NOTICES.has(event.type)) at.question = event as Question;
      if (events.length > 1000) throw new Error('events without end');
    }
    const bytes = session.nextOutput();
    if (bytes === null) continue;
    session.written(bytes.length);
    said += latin1(bytes, 0, bytes.length);
    more = true;
  }
  if (session.wants !== 'answer') at.question = null;
  return { events, replies: Array.from(said.matchAll(/^([2-5][0-9]{2})(?: .*)?\r\n/gm), ([, code]) => Number(code)) };
}

function snapshotAt({ session: { phase }, session }: Standing): Snapshot | null {
  return phase === 'auth' || phase === 'tls' ? null : session.snapshot();
}

function stateNamed(states: Map<string, State>, at: Standing, options: ServerOptions, by: State['by']): State {
  const snapshot = snapshotAt(at);
  const name = snapshot === null ? awake(at, by!) : snapshot.phase === 'closed' ? 'closed' : stateOf(snapshot, options);
  const known = states.get(name);
  if (known !== undefined) return known;
  const state: State = { name, number: states.size, snapshot, by };
  states.set(name, state);
  return state;
}

/** A state of AUTH or of the hand-over to TLS: that from which it began, and how far it has come. */
function awake({ session, question }: Standing, { from, act }: NonNullable<State['by']>): string {
  let before = from;
  while (before.snapshot === null) before = before.by!.from;
  const step =
    question?.type === 'auth'
      ? `step ${Math.min(question.step, 2)}`
      : act.name === 'AUTH PLAIN' || question !== null
        ? 'asked'
        : 'challenged';
  const leaves = act.name === 'shutdown' || /leaves/.test(from.name) ? ', leaves' : '';
  return `${session.phase}${session.phase === 'tls' ? '' : ` ${question === null ? 'challenged' : step}`}${leaves}, behind ${before.name.replace(/, leaves.*/, '')}`;
}
