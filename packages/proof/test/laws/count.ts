// Counts work and memory: octets that are read or copied, and octets that are kept.
import { setFlagsFromString } from 'node:v8';

import { runInNewContext } from 'node:vm';

/** How many octets are read one by one, or copied, in arrays that `run` makes or is given by `counted`. */
export function octetsTouched(run: (counted: (bytes: Uint8Array) => Uint8Array) => void): number {
  let touched = 0;
  const counted = (bytes: Uint8Array): Uint8Array =>
    new Proxy(bytes, {
      get(target, key) {
        if (typeof key === 'string' && key >= '0' && key <= ':') {
          touched++;
          return target[Number(key)];
        }
        const value: unknown = Reflect.get(target, key, target);
        if (typeof value !== 'function') return value;
        return (...given: unknown[]): unknown => {
          if (key === 'subarray') return counted(target.subarray(...(given as [number, number])));
          // The argument of `set` is read octet by octet; the others go over all of theirs.
          if (key !== 'set') touched += target.length;
          const result: unknown = value.apply(target, given);
          return result instanceof Bytes && key === 'slice' ? counted(result) : result;
        };
      },
      set(target, key, value) {
        touched++;
        return Reflect.set(target, key, value, target);
      },
    });
  const Bytes = globalThis.Uint8Array;
  // What is made meanwhile counts too: a buffer that is copied over and over would not show otherwise.
  globalThis.Uint8Array = new Proxy(Bytes, {
    construct: (target, given) => counted(Reflect.construct(target, given)),
    // What `from` makes is filled at once, and its array has to be a real one.
    get: (target, key) => (key === 'from' ? target.from.bind(target) : Reflect.get(target, key)),
  });
  try {
    run(counted);
  } finally {
    globalThis.Uint8Array = Bytes;
  }
  return touched;
}

/** How many elements of arrays are gone over while `run` works. */
export function elementsTouched(run: () => void): number {
  let touched = 0;
  const methods = [
    'some',
    'every',
    'find',
    'findIndex',
    'filter',
    'map',
    'forEach',
    'includes',
    'indexOf',
    'slice',
    'concat',
    'reduce',
    'flatMap',
  ];
  const prototype = Array.prototype as unknown as Record<string | symbol, (...given: unknown[]) => unknown>;
  const kept = [...methods, Symbol.iterator].map((name) => [name, prototype[name]!] as const);
  for (const [name, method] of kept) {
    prototype[name] = function (this: unknown[], ...given: unknown[]): unknown {
      touched += this.length;
      return method.apply(this, given);
    };
  }
  try {
    run();
  } finally {
    for (const [name, method] of kept) prototype[name] = method;
  }
  return touched;
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Octets in buffers and heap that stay in use by what `run` leaves behind. */
export function octetsKept(run: () => unknown): number {
  const before = used();
  const kept = run();
  const after = used();
  // Alive up to here.
  return kept === undefined ? Number.NaN : after - before;
}

function used(): number {
  // The second waits until buffers that the first found are given back.
  collect();
  collect();
  const { arrayBuffers, heapUsed } = process.memoryUsage();
  return arrayBuffers + heapUsed;
}
