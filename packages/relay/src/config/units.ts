// Numbers with their units.

const TIMES: { readonly [unit: string]: number } = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const SIZES: { readonly [unit: string]: number } = { KiB: 1024, MiB: 1_048_576, GiB: 1_073_741_824 };

/** A time with its unit, in milliseconds; null: it is none. */
export function millisecondsOf(value: unknown): number | null {
  const found = typeof value === 'string' ? /^([0-9]{1,9})(ms|s|m|h|d)$/.exec(value) : null;
  return found === null ? null : Number(found[1]) * TIMES[found[2]!]!;
}

/** A number of octets, with a unit or without; null: it is none. */
export function octetsOf(value: unknown): number | null {
  if (typeof value === 'number') return Number.isSafeInteger(value) && value >= 0 ? value : null;
  const found = typeof value === 'string' ? /^([0-9]{1,9})(KiB|MiB|GiB)$/.exec(value) : null;
  return found === null ? null : Number(found[1]) * SIZES[found[2]!]!;
}
