// The state space of a client session, walked: from each state everything is done that can be done, on the engine itself. A session can not sleep:
// it is made anew, and led to its state.
import { type ClientEvent, type ClientOptions, ClientSession } from '@ehlo/engine';
import { latin1 } from '@ehlo/grammar';
import { type ClientAct, type ClientStanding, clientActs } from './acts.ts';
import { type ClientFacts, clientStateOf, probe } from './state.ts';

/** A client, and what its server offers. */
export interface ClientSetup {
  readonly options: ClientOptions;
  readonly offered: readonly string[];
  /** The transport may stop taking octets. */
  readonly stalls?: true;
}

export interface ClientState {
  readonly name: string;
  /** What leads to it first. */
  readonly path: readonly ClientAct[];
}

/** What has come of a session since it began. */
export interface ClientHistory {
  /** Lines that were said, and contents of messages as they were. */
  readonly said: string;
  readonly events: readonly ClientEvent[];
  /** How many transactions were begun. */
  readonly sends: number;
}

/** What came of an act in a state. */
export interface ClientEdge {
  readonly from: ClientState;
  readonly act: ClientAct;
  readonly to: ClientState;
  readonly before: ClientHistory & { readonly due: readonly string[] };
  /** All of the session, the act included; `new` is what the act has brought. */
  readonly after: ClientHistory & { readonly due: readonly string[] };
  readonly new: Omit<ClientHistory, 'sends'>;
  readonly taken: boolean;
  readonly at: ClientStanding;
}

/** A space that is not finite would be noticed. */
const MOST = 100_000;

/** Walks breadth first over all states that a client with this setup can come to; calls for each edge. Returns the states. */
export function walkClient(setup: ClientSetup, onEdge: (edge: ClientEdge) => void = () => {}, most: number = MOST): readonly ClientState[] {
  const acts = clientActs(setup.offered, setup.stalls === true);
  const states = new Map<string, ClientState>();
  const named = (run: Run, path: readonly ClientAct[]): [ClientState, boolean] => {
    const known = states.get(run.name);
    if (known !== undefined) return [known, false];
    const state: ClientState = { name: run.name, path };
    states.set(run.name, state);
    return [state, true];
  };
  const queue = [named(runOf(setup, []), [])[0]];
  for (let from = queue.shift(); from !== undefined; from = queue.shift()) {
    if (from.name === 'closed') continue;
    for (const act of acts) {
      const run = runOf(setup, from.path);
      const before = { said: run.said, events: [...run.events], sends: run.sends, due: run.due };
      const taken = run.does(act);
      const [to, isNew] = named(run, [...from.path, act]);
      if (isNew) queue.push(to);
      if (states.size > most) throw new Error(`more than ${most} states, the last one: ${to.name}`);
      const after = { said: run.said, events: run.events, sends: run.sends, due: run.due };
      const came = { said: after.said.slice(before.said.length), events: after.events.slice(before.events.length) };
      onEdge({ from, act, to, before, after, new: came, taken, at: run.at });
    }
  }
  return [...states.values()];
}

/** A session that was led along a path. */
export function runOf(setup: ClientSetup, path: readonly ClientAct[]): Run {
  const run = new Run(setup);
  for (const act of path) run.does(act);
  return run;
}

/** A session, and all that it has told and said. */
export class Run {
  readonly at: ClientStanding;
  readonly events: ClientEvent[] = [];
  said = '';
  sends = 0;
  #facts: ClientFacts | null = null;

  constructor({ options }: ClientSetup) {
    const see = probe((facts) => {
      this.#facts = facts;
    });
    const session = new ClientSession({ ...options, features: [...(options.features ?? []), see] });
    this.at = { session, now: 0, stalled: false };
    session.tick(0);
    this.#settle();
  }

  /** Does it, and takes all that comes of it. */
  does(act: ClientAct): boolean {
    const taken = act.run(this.at);
    if (taken && act.name.startsWith('send')) this.sends++;
    this.#settle();
    return taken;
  }

  get name(): string {
    return clientStateOf(this.#facts, this.at.session.phase, this.at.stalled);
  }

  /** What is due, in order. */
  get due(): readonly string[] {
    return (this.#facts?.due ?? []).map(({ to }) => to);
  }

  #settle(): void {
    const { session, stalled } = this.at;
    for (let more = true; more; ) {
      more = false;
      for (let event = session.nextEvent(); event !== null; event = session.nextEvent()) this.events.push(event);
      if (this.events.length > 1000) throw new Error('events without end');
      const bytes = stalled ? null : session.nextOutput();
      if (bytes === null) continue;
      session.written(bytes.length);
      this.said += latin1(bytes, 0, bytes.length);
      more = true;
    }
  }
}
