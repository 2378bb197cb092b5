import { notify } from './notify.ts';

type Listener = Parameters<AbortSignal['addEventListener']>[1] | null;
type Options = Parameters<AbortSignal['addEventListener']>[2];
type Guard = (event: Event) => void;

/**
 * Wraps the listeners of a signal: an error that a listener throws, or its promise rejects with, is reported to `failed`. Without this, an event
 * target throws it uncaught, and that ends the process. Listeners of a signal that follows from this one (`AbortSignal.any`) are not wrapped.
 */
export function guardListeners(signal: AbortSignal, failed: (error: unknown) => void): AbortSignal {
  const guards = new WeakMap<object, Guard>();
  /** One guard for each listener, so that it is added once however often it is given. What is no listener is for the signal to judge. */
  const guardOf = (listener: Listener): Guard => {
    if (!isListener(listener)) return listener as never;
    const guard = guards.get(listener) ?? ((event) => notify(() => called(listener, signal, event), failed));
    guards.set(listener, guard);
    return guard;
  };
  const { addEventListener, removeEventListener } = signal;
  let onabort: AbortSignal['onabort'] = null;
  let guard: Guard | null = null;
  return Object.defineProperties(signal, {
    addEventListener: {
      value: (type: 'abort', listener: Listener, options?: Options) => addEventListener.call(signal, type, guardOf(listener), options),
    },
    removeEventListener: {
      value: (type: 'abort', listener: Listener, options?: Options) => removeEventListener.call(signal, type, guardOf(listener), options),
    },
    onabort: {
      get: () => onabort,
      set(listener: AbortSignal['onabort']) {
        if (guard !== null) removeEventListener.call(signal, 'abort', guard);
        onabort = typeof listener === 'function' ? listener : null;
        guard = onabort === null ? null : (event) => notify(() => listener!.call(signal, event), failed);
        if (guard !== null) addEventListener.call(signal, 'abort', guard);
      },
    },
  });
}

function isListener(value: unknown): value is NonNullable<Listener> {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}

function called(listener: NonNullable<Listener>, signal: AbortSignal, event: Event): unknown {
  return typeof listener === 'function' ? listener.call(signal, event) : listener.handleEvent(event);
}
