import type { Question, ServerOptions, ServerSession, TlsInfo } from '@ehlo/engine';
import { octets } from '@ehlo/grammar';
import { extensionOf } from './own-extension.ts';
import { type InputStep, joined, type TlsFacts, type TranscriptOptions } from './transcript.ts';

/** What is done to a session, and read of it. */
export type Driven = Omit<ServerSession, 'snapshot' | 'unacknowledged'>;

/** What a step other than `in`, `stall` and `tick` does to a session; for an answer, whether it was taken. */
export function apply(session: Driven, step: InputStep, asked: () => Question): boolean | undefined {
  if ('accept' in step) return session.accept(asked(), step.accept as { identity: string; text: string });
  if ('reject' in step) return session.reject(asked(), step.reject);
  if ('challenge' in step) return session.challenge(asked() as never, octets(joined(step.challenge)));
  if ('discard' in step) return session.discard(step.discard);
  if ('secured' in step) session.secured(tlsOf(step.secured));
  else if ('shutdown' in step) session.shutdown('code' in step.shutdown ? (step.shutdown as { code: number; text: string }) : undefined);
  else if ('end' in step) session.receiveEnd();
  else if ('lost' in step) session.lost();
  return undefined;
}

/** What a transcript says of TLS, as a session takes it: of what binds to the connection only the names count. */
function tlsOf({ bindings, ...tls }: TlsFacts): TlsInfo {
  return bindings === undefined ? tls : { ...tls, bindings: new Map(bindings.map((name) => [name, new Uint8Array(32)])) };
}

/** The options of a session, as a transcript has them. */
export function optionsOf({ tls, tolerate, extensions, ...rest }: TranscriptOptions): ServerOptions {
  return {
    ...rest,
    ...(tls === undefined ? {} : { tls: tlsOf(tls) }),
    ...(tolerate === undefined ? {} : { tolerate: new Set(tolerate) }),
    ...(extensions === undefined ? {} : { extensions: extensions.map((one) => (typeof one === 'string' ? one : extensionOf(one))) }),
  };
}
