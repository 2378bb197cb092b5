import type { Octets } from './check.ts';

/** What `{name}` stands for, in latin1; what is secret is shown as `***`. */
export interface Variables {
  readonly [name: string]: { readonly text: string; readonly secret?: true };
}

const NAME = /\{([a-z-]+)\}/g;

/** Octets as latin1, with the variables in their places; as they are sent, or as they may be shown. Unknown names stay as they stand. */
export function expand(octets: Octets, variables: Variables, shown = false): string {
  const text = (part: string): string =>
    part.replaceAll(NAME, (whole, name: string) => {
      const variable = Object.hasOwn(variables, name) ? variables[name] : undefined;
      if (variable === undefined) return whole;
      return shown && variable.secret ? '***' : variable.text;
    });
  if (typeof octets === 'string') return text(octets);
  return octets.map((part) => (typeof part === 'string' ? text(part) : text(part.repeat).repeat(part.times))).join('');
}

/** The variables that octets name. */
export function namesIn(octets: Octets): readonly string[] {
  const parts = typeof octets === 'string' ? [octets] : octets.map((part) => (typeof part === 'string' ? part : part.repeat));
  return parts.flatMap((part) => [...part.matchAll(NAME)].map(([, name]) => name!));
}

/** Latin1 as octets. */
export function toBytes(latin1: string): Uint8Array {
  return Uint8Array.from(latin1, (character) => character.charCodeAt(0));
}

/** Octets as latin1. */
export function fromBytes(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return text;
}
