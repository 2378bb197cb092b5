import { Secret, type ServerEvent, SmtpUsageError } from '@ehlo/engine';
import { latin1 } from '@ehlo/grammar';
import type { Json } from './transcript.ts';

/** An event as JSON: octets and secrets as strings of one character an octet, what is undefined left out. */
export function plainEvent(event: ServerEvent): { readonly type: string; readonly [name: string]: Json } {
  return plain(event) as { type: string };
}

/** Any value of a session as JSON, a map as an object; a copy, so that it stays what it was. */
export function plain(value: unknown): Json {
  if (value instanceof Secret) return plain(value.expose());
  if (value instanceof Uint8Array) return latin1(value, 0, value.length);
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Map) return plain(Object.fromEntries(value));
  if (typeof value !== 'object' || value === null) return value as Json;
  const entries = Object.entries(value).filter(([, part]) => part !== undefined);
  return Object.fromEntries(entries.map(([name, part]) => [name, plain(part)]));
}

/** Where `actual` is not what `pattern` asks for; null if it is. Objects may have more than is asked for; arrays may not. */
export function difference(pattern: Json, actual: Json | undefined, path = ''): string | null {
  if (typeof pattern !== 'object' || pattern === null) {
    return pattern === actual ? null : `${path || 'value'}: expected ${show(pattern)}, got ${show(actual)}`;
  }
  if (typeof actual !== 'object' || actual === null || Array.isArray(pattern) !== Array.isArray(actual)) {
    return `${path || 'value'}: expected ${show(pattern)}, got ${show(actual)}`;
  }
  if (Array.isArray(pattern) && pattern.length !== (actual as readonly Json[]).length) {
    return `${path}: expected ${pattern.length} elements, got ${show(actual)}`;
  }
  const parts = actual as { readonly [name: string]: Json };
  for (const [name, part] of Object.entries(pattern)) {
    const found = difference(part, Object.hasOwn(parts, name) ? parts[name] : undefined, path === '' ? name : `${path}.${name}`);
    if (found !== null) return found;
  }
  return null;
}

/** A value for a message: JSON, cut where it is long. */
export function show(value: Json | undefined): string {
  const text = value === undefined ? 'nothing' : JSON.stringify(value);
  return text.length > 300 ? `${text.slice(0, 200)}…${text.slice(-80)}` : text;
}

/** Whether a call is one that no program may make. */
export function isMisuse(call: () => unknown): boolean {
  try {
    call();
    return false;
  } catch (error) {
    if (error instanceof SmtpUsageError) return true;
    throw error;
  }
}
