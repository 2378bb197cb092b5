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
          // The argument of `set` is read octet by octet, `copyWithin` moves what it is told; the others go over all of theirs.
          if (key === 'copyWithin') touched += (given[2] as number) - (given[1] as number);
          else if (key !== 'set') touched += target.length;
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
  const { getInt32 } = DataView.prototype;
  // A word is four octets.
  DataView.prototype.getInt32 = function (at, littleEndian) {
    touched += 4;
    return getInt32.call(this, at, littleEndian);
  };
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
    DataView.prototype.getInt32 = getInt32;
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

/** How many arrays of octets are made while `run` works, views included. */
export function arraysMade(run: () => void): number {
  let [made, views] = [0, 0];
  const Bytes = globalThis.Uint8Array;
  globalThis.Uint8Array = new Proxy(Bytes, {
    construct: (target, given) => {
      made++;
      return Reflect.construct(target, given);
    },
  });
  try {
    views = callsOf(Object.getPrototypeOf(Bytes.prototype), ['subarray', 'slice'], run);
  } finally {
    globalThis.Uint8Array = Bytes;
  }
  return made + views;
}

/** How often something is looked up in a map or a set while `run` works, and how often a text is held against a pattern. */
export function lookUps(run: () => void): { readonly lookUps: number; readonly patterns: number } {
  let [has, patterns] = [0, 0];
  const gets = callsOf(Map.prototype, ['get', 'has'], () => {
    has = callsOf(Set.prototype, ['has'], () => {
      patterns = callsOf(RegExp.prototype, ['exec'], run);
    });
  });
  return { lookUps: gets + has, patterns };
}

/** How often these methods are called while `run` works. */
function callsOf(prototype: object, names: readonly string[], run: () => void): number {
  let calls = 0;
  const methods = prototype as Record<string, (...given: unknown[]) => unknown>;
  const kept = names.map((name) => [name, methods[name]!] as const);
  for (const [name, method] of kept) {
    methods[name] = function (this: unknown, ...given: unknown[]): unknown {
      calls++;
      return method.apply(this, given);
    };
  }
  try {
    run();
  } finally {
    for (const [name, method] of kept) methods[name] = method;
  }
  return calls;
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
