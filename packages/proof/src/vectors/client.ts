import { AUTH, type AuthWords, CHUNKING, type ClientOptions, ClientSession, type MessageFacts, type TlsInfo } from '@ehlo/engine';
import { latin1, type MailParameters, octets, PARAMETERS, type RcptParameters } from '@ehlo/grammar';
import { extensionOf, type OwnExtension } from './own-extension.ts';
import { difference, isMisuse, plain, show } from './pattern.ts';
import { type Chunking, TranscriptMismatch } from './replay.ts';
import { type Citation, type EventPattern, type Json, joined, type Octets } from './transcript.ts';

/** What is done to a client's session: by its server, by time, and by its program. */
export type ClientInputStep =
  | { readonly in: Octets }
  | { readonly end: true }
  | { readonly lost: true }
  | { readonly tick: number }
  | { readonly secured: TlsInfo }
  | { readonly stall: boolean }
  | { readonly send: ClientMessage }
  | { readonly write: Octets }
  | { readonly finish: true }
  | { readonly abort: true }
  | { readonly command: { readonly verb: string; readonly argument?: string; readonly smtpUtf8?: boolean } }
  | { readonly quit: true }
  | { readonly starttls: true }
  | { readonly authenticate: AuthWords & { readonly mechanism: string; readonly initial?: Octets } }
  | { readonly respond: Octets }
  | { readonly cancel: true };

/** An envelope, and what is known of the message. */
export interface ClientMessage extends MessageFacts {
  readonly from: string;
  readonly to: readonly (string | { readonly address: string; readonly parameters: RcptParameters })[];
  /** Of MAIL. */
  readonly parameters?: MailParameters;
}

/** What must be seen of it. */
export type ClientOutcomeStep = Citation & ClientOutcome;

type ClientOutcome =
  | { readonly out: Octets }
  | { readonly event: EventPattern }
  | { readonly unsayable: Extract<ClientInputStep, Say> }
  | { readonly state: { readonly [name: string]: Json } }
  | { readonly wants: string }
  | { readonly deadline: number | null };

/** What a program asks for that would be said at once. */
type Say = { readonly send: unknown } | { readonly command: unknown } | { readonly starttls: unknown } | { readonly authenticate: unknown };

export type ClientStep = ClientInputStep | ClientOutcomeStep;

/** One conversation, from a client's side. */
export interface ClientTranscript {
  readonly name: string;
  readonly why: string;
  readonly role: 'client';
  readonly options: Omit<ClientOptions, 'extensions' | 'features' | 'parameters'> & { readonly extensions?: readonly OwnExtension[] };
  readonly steps: readonly ClientStep[];
}

export interface ClientTranscriptFile {
  readonly transcripts: readonly ClientTranscript[];
}

/** What a client's session did. Equal for every way of cutting what its server says. */
export interface ClientReplayLog {
  readonly events: readonly Json[];
  readonly output: string;
  /** Phases that were seen, one after the other; a phase that was left within one call is none. */
  readonly phases: readonly string[];
}

/** Runs a transcript against a client's session. Throws `TranscriptMismatch` at the first step that does not come out as written. */
export function replayClientTranscript({ name, options, steps }: ClientTranscript, chunking: Chunking = 'whole'): ClientReplayLog {
  const { extensions = [], ...rest } = options;
  const session = new ClientSession({
    ...rest,
    features: [AUTH, CHUNKING],
    parameters: PARAMETERS,
    extensions: extensions.map(extensionOf),
  });
  const log = { events: [] as Json[], output: '', phases: [session.phase as string] };
  const unexpected: { events: Json[]; output: string } = { events: [], output: '' };
  let now = 0;
  let number = 0;
  const fail = (message: string): never => {
    throw new TranscriptMismatch(name, number, message);
  };
  let stalled = false;
  /** Octets that the server has not taken yet. */
  let held: Uint8Array | null = null;
  const left = (bytes: Uint8Array): void => {
    session.written(bytes.length);
    log.output += latin1(bytes, 0, bytes.length);
    unexpected.output += latin1(bytes, 0, bytes.length);
  };
  const pull = (): void => {
    if (log.phases.at(-1) !== session.phase) log.phases.push(session.phase);
    if (!stalled && held !== null) left(held);
    if (!stalled) held = null;
    for (;;) {
      const event = session.nextEvent();
      const bytes = event === null && held === null ? session.nextOutput() : null;
      if (event === null && bytes === null) return;
      if (event !== null) {
        log.events.push(plain(event));
        unexpected.events.push(plain(event));
      }
      if (bytes === null) continue;
      if (stalled) held = bytes;
      else left(bytes);
    }
  };
  const nothing = (): void => {
    if (unexpected.events.length > 0) fail(`nobody expected the event ${show(unexpected.events[0])}`);
    if (unexpected.output !== '') fail(`nobody expected the output ${show(unexpected.output)}`);
  };
  session.tick(now);
  for (const step of steps) {
    number++;
    if ('out' in step) {
      const expected = joined(step.out);
      if (!unexpected.output.startsWith(expected)) fail(`expected output ${show(expected)}, got ${show(unexpected.output)}`);
      unexpected.output = unexpected.output.slice(expected.length);
    } else if ('event' in step) {
      const got = unexpected.events.shift();
      const found = difference(step.event, got);
      if (found !== null) fail(`event ${show(step.event)}: ${found} in ${show(got)}`);
    } else if ('unsayable' in step) {
      if (!isMisuse(() => perform(session, step.unsayable, ''))) fail(`expected that nobody can say ${show(plain(step.unsayable))}`);
    } else if ('state' in step) {
      const { phase, canSend, canWrite, authenticated, tls, paths } = session;
      const found = difference(step.state, plain({ phase, canSend, canWrite, authenticated, tls, paths }));
      if (found !== null) fail(`state: ${found}`);
    } else if ('wants' in step) {
      if (session.wants !== step.wants) fail(`expected it to want ${step.wants}, not ${session.wants}`);
    } else if ('deadline' in step) {
      const wait = session.deadline - now;
      if (wait !== (step.deadline ?? Number.POSITIVE_INFINITY)) fail(`expected a deadline in ${step.deadline} ms, got ${wait}`);
    } else {
      nothing();
      if ('tick' in step) now += step.tick;
      if ('stall' in step) stalled = step.stall;
      for (const piece of 'in' in step ? cut(joined(step.in), chunking, number) : ['']) {
        session.tick(now);
        perform(session, step, piece);
        pull();
      }
    }
  }
  number++;
  nothing();
  return log;
}

function perform(session: ClientSession, step: ClientInputStep, piece: string): void {
  if ('in' in step) session.receive(octets(piece));
  else if ('end' in step) session.receiveEnd();
  else if ('lost' in step) session.lost();
  else if ('secured' in step) session.secured(step.secured);
  else if ('send' in step) {
    const { from, to, parameters = {}, ...facts } = step.send;
    const recipients = to.map((one) => (typeof one === 'string' ? { forwardPath: one } : { ...one, forwardPath: one.address }));
    session.send({ reversePath: from, parameters, recipients }, facts);
  } else if ('write' in step) session.write(octets(joined(step.write)));
  else if ('finish' in step) session.end();
  else if ('abort' in step) session.abort();
  else if ('command' in step) {
    const { verb, argument, ...options } = step.command;
    session.command(verb, argument, options);
  } else if ('quit' in step) session.quit();
  else if ('starttls' in step) session.starttls();
  else if ('authenticate' in step) {
    const { mechanism, initial, ...words } = step.authenticate;
    session.authenticate(mechanism, initial === undefined ? null : octets(joined(initial)), words);
  } else if ('respond' in step) session.respond(octets(joined(step.respond)));
  else if ('cancel' in step) session.cancel();
}

/** The pieces in which octets arrive. */
function cut(text: string, chunking: Chunking, step: number): readonly string[] {
  if (chunking === 'octets') return [...text];
  if (chunking === 'lines') return text.split(/(?<=\n)/);
  if (chunking === 'whole' || chunking.step !== step) return [text];
  return [text.slice(0, chunking.at), text.slice(chunking.at)];
}
