// The front of a relay: what it says to each command of a client, by the policy that holds at that moment.

import { readMx } from '@ehlo/delivery';
import { type Handler, type Refusal, reject, type Session } from '@ehlo/driver';
import type { ListenerConfig } from '../config/config.ts';
import type { Means } from '../runner/index.ts';
import { domainKey } from './directory.ts';
import type { Guests } from './guests.ts';
import { type IntakeMeans, takeMessage } from './intake.ts';
import type { Asker, Policy } from './policy.ts';

/** What is kept with each session. */
export interface Guest {
  /** Gives its place back. */
  leave: (() => void) | null;
}

/** What a front stands on. */
export interface FrontMeans extends IntakeMeans {
  /** The rules that hold now. */
  readonly policy: () => Policy;
  readonly guests: Guests;
  readonly lookUp: Means['lookUp'];
}

/** The handler of a listener, for sessions that begin now; `wasUser`: the users that can authenticate in them. */
export function frontOf(listener: ListenerConfig, means: FrontMeans, wasUser: Policy['isUser']): Handler<Guest> {
  const name = listener.name!;
  const { guests, log, policy } = means;
  /**
   * The listener by the rules that hold now, which a session may outlast. One that is gone, or of another kind, passes nothing on; and no session may more
   * than its listener let it when it began: under the same name another port may be open to other clients.
   */
  const ruled = (): ListenerConfig => {
    const now = policy().config.listeners.find((one) => one.name === name && one.kind === listener.kind);
    return { ...listener, openRelay: listener.openRelay && now?.openRelay === true, nullMx: (now ?? listener).nullMx };
  };
  /** The refusal for a client that was removed from the users since it authenticated (RFC 4954 6); 421 follows. Null: it was not, or a proxy has given its own identity. */
  const goneUser = (session: Session): Refusal | null => {
    const { identity, peer } = session;
    if (identity === null || !wasUser(identity) || policy().isUser(identity)) return null;
    log('warn', 'user-gone', { listener: name, client: peer.address, user: identity });
    session.shutdown(reject(421, '4.7.0', 'Your login does not hold any more'));
    return reject(530, '5.7.0', 'Authentication required');
  };
  return {
    connect: ({ peer }, session) => {
      const now = policy();
      session.data.leave?.();
      if (guests.isShut(peer.address, now.guests)) return reject(421, '4.7.0', 'Too many failed logins, come back later');
      const most = now.isTrusted(askerOf(session)) || peer.address === '' ? Number.POSITIVE_INFINITY : now.guests.connections;
      session.data.leave = guests.enter(peer.address, most);
      if (session.data.leave === null) return reject(421, '4.7.0', 'Too many connections from your address');
      // However it ends.
      session.signal.addEventListener('abort', () => session.data.leave?.(), { once: true });
      log('debug', 'connected', { listener: name, client: peer.address, session: session.id });
      return true;
    },
    mail: async ({ reversePath }, session) => {
      const now = policy();
      const gone = goneUser(session);
      if (gone !== null) return gone;
      const { identity } = session;
      if (identity !== null && !now.maySendAs(identity, reversePath.address)) {
        log('warn', 'sender-refused', { listener: name, client: session.peer.address, user: identity, from: reversePath.address });
        return reject(553, '5.7.1', 'You may not send as this address');
      }
      const rules = ruled();
      const isStranger = !now.mayRelay(askerOf(session), rules);
      if (rules.kind !== 'mx' || !rules.nullMx || !isStranger || reversePath.domain.startsWith('[') || reversePath.domain === '')
        return true;
      // RFC 7505 4.2: no failure notice could be sent.
      const answer = await means.lookUp({ type: 'lookup', id: 0, name: domainKey(reversePath.domain), rr: 'MX' });
      const isNull = answer.status === 'found' && readMx(answer.mx ?? []).isNull;
      return isNull ? reject(550, '5.7.27', 'The domain of the sender takes no mail') : true;
    },
    rcpt: ({ forwardPath }, session) => {
      const gone = goneUser(session);
      if (gone !== null) return gone;
      const { directory, mayRelay } = withMay(policy(), session, ruled());
      const standing = directory.standing(forwardPath, session.local.address);
      if (standing === 'known') return true;
      const facts = { listener: name, client: session.peer.address, from: session.envelope?.reversePath.address, to: forwardPath.address };
      if (standing === 'unknown') {
        log('info', 'recipient-unknown', facts);
        return reject(550, '5.1.1', 'No such user here');
      }
      if (mayRelay) return true;
      log('warn', 'relay-refused', facts);
      return reject(550, '5.7.1', 'Relaying denied');
    },
    message: async (message, session) => {
      const gone = goneUser(session);
      if (gone !== null) return gone;
      const { config, directory } = policy();
      const local = session.local.address;
      const rules = {
        hostname: config.hostname,
        hops: config.limits.hops,
        completes: listener.kind === 'submission',
        listener: name,
        queued: (path: Parameters<typeof directory.queued>[0]) => directory.queued(path, local),
      };
      return takeMessage(message, session, rules, means);
    },
    notice: (notice, session) => {
      const facts = { listener: name, client: session.peer.address, session: session.id };
      if (notice.type === 'fault') {
        if (notice.code === 'auth-failed') guests.failed(session.peer.address, policy().guests);
        if (notice.code === 'auth-failed') log('warn', 'login-failed', facts);
        else log('debug', 'fault', { ...facts, code: notice.code, line: notice.line });
        if (notice.code === 'auth-failed' && guests.isShut(session.peer.address, policy().guests))
          session.shutdown(reject(421, '4.7.0', 'Too many failed logins, come back later'));
      }
      if (notice.type === 'aborted') log('info', 'message-aborted', { ...facts, cause: notice.cause });
      if (notice.type === 'closed') log('debug', 'closed', { ...facts, cause: notice.cause });
    },
    unacknowledged: ({ envelope }, session) =>
      log('warn', 'unacknowledged', {
        listener: name,
        client: session.peer.address,
        from: envelope.reversePath.address,
        text: 'a message was queued, and its client left before it was told: it may send it again',
      }),
    tlsFailed: (error, peer) => log('info', 'tls-failed', { listener: name, client: peer.address, error: messageOf(error) }),
    error: (error, method, session) => {
      const text = method === 'message' ? 'a message could not be queued; its client was told 451' : 'a client was told 451';
      log('error', 'failed', { listener: name, what: method, client: session?.peer.address, error: messageOf(error), text });
    },
  };
}

/** The known facts about a client. A proxy that speaks for itself (a health check) has no client. */
export function askerOf({ peer, proxy, identity }: Pick<Session, 'peer' | 'proxy' | 'identity'>): Asker {
  return { address: peer.address, isClient: proxy === null || (!proxy.local && proxy.source !== null), identity };
}

function withMay(policy: Policy, session: Session, listener: ListenerConfig): Pick<Policy, 'directory'> & { readonly mayRelay: boolean } {
  return { directory: policy.directory, mayRelay: policy.mayRelay(askerOf(session), listener) };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
