import type { Authentication } from '@ehlo/driver';
import type { Schedule } from '../runner/index.ts';
import type { GuestLimits, Guests } from './guests.ts';

/** Logins of a client that has failed before are answered later each time: guessing takes long, and the right password is still accepted. */
export function throttled(auth: Authentication, guests: Guests, limits: GuestLimits, schedule: Schedule): Authentication {
  const paused = async (address: string): Promise<void> => {
    const delay = guests.delay(address, limits);
    if (delay > 0) await new Promise<void>((resolve) => void schedule.in(delay, resolve));
  };
  const { lookup, verify } = auth;
  return {
    ...auth,
    ...(lookup === undefined
      ? {}
      : {
          async lookup(user, session) {
            await paused(session.peer.address);
            return lookup.call(auth, user, session);
          },
        }),
    ...(verify === undefined
      ? {}
      : {
          async verify(claim, session) {
            await paused(session.peer.address);
            return verify.call(auth, claim, session);
          },
        }),
  };
}
