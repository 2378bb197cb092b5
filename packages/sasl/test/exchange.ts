// An exchange between both sides of a mechanism, with everything written down.
import type { Claim, ClientContext, ClientStep, Mechanism, ServerContext, ServerStep, Stored } from '../src/index.ts';

export interface Store {
  /** Judges claims itself; else passwords are compared with what `lookup` gives. */
  readonly verify?: (claim: Claim) => string | null;
  readonly lookup?: (user: string) => Stored | null;
}

export interface Outcome {
  /** What went over the wire: C: and S: and the text. */
  readonly wire: string[];
  /** `success`, or why the client gave up, or `refused` by the server. */
  readonly client: string;
  readonly problem: string | undefined;
  readonly server: ServerStep | null;
}

export const SERVER: ServerContext = { nonce: 'server-nonce', hostname: 'mx.example.org', pepper: Uint8Array.of(1, 2, 3) };

/** Runs it to its end, as a protocol without data in its last word does. */
export function exchange(
  { client, server, clientFirst }: Mechanism,
  context: ClientContext,
  store: Store,
  at: Partial<ServerContext> = {},
): Outcome {
  const wire: string[] = [];
  let problem: string | undefined;
  let theirs: ServerStep = settle(server({ ...SERVER, ...at }), store);
  let ours: ClientStep = derived(client(context));
  // A client that can speak first does so; the server's empty challenge is then never sent.
  if (!clientFirst || (ours.type === 'respond' && ours.response === null)) hear();
  while (ours.type === 'respond' && theirs.type === 'challenge') {
    const response = ours.response!.expose();
    wire.push(`C: ${show(response)}`);
    problem ??= ours.problem;
    theirs = settle(theirs.next(response), store);
    if (theirs.type === 'challenge') hear();
  }
  if (ours.type === 'failure') return { wire, client: ours.reason, problem, server: null };
  const verdict = theirs.type === 'failure' ? 'refused' : ours.type === 'respond' && ours.final ? 'success' : 'impostor';
  return { wire, client: verdict, problem, server: theirs };

  function hear(): void {
    if (theirs.type !== 'challenge' || ours.type !== 'respond') return;
    wire.push(`S: ${show(theirs.challenge)}`);
    ours = derived(ours.next(theirs.challenge));
  }
}

/** Answers what the server's side asks of its own program. */
export function settle(step: ServerStep, { verify, lookup = () => null }: Store): ServerStep {
  let now = step;
  for (;;) {
    if (now.type === 'derive') now = now.next(now.derivation.derive());
    else if (now.type === 'lookup') now = now.next(lookup(now.user));
    else if (now.type !== 'verify') return now;
    else if (verify !== undefined) now = now.next(verify(now.claim));
    else if (now.compare !== undefined && now.claim.type === 'password') now = now.compare(lookup(now.claim.user));
    else now = now.next(null);
  }
}

export function derived(step: ClientStep): ClientStep {
  return step.type === 'derive' ? step.next(step.derivation.derive()) : step;
}

export function show(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8');
}

export function octets(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'utf8'));
}
