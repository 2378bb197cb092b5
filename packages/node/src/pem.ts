import { kindOf, SmtpUsageError } from '@ehlo/engine';

/** PEM as Node's types want it. */
export function pem(given: string | Uint8Array): string | Buffer {
  return typeof given === 'string' ? given : Buffer.from(given);
}

/** One or several. */
export function pems(given: string | Uint8Array | readonly (string | Uint8Array)[]): string | Buffer | (string | Buffer)[] {
  return typeof given === 'string' || given instanceof Uint8Array ? pem(given) : given.map(pem);
}

/** Throws `SmtpUsageError` as `checkPem` does, for one or several. */
export function checkPems(name: string, given: unknown, label: 'PRIVATE KEY' | 'CERTIFICATE'): void {
  if (Array.isArray(given)) for (const [i, one] of given.entries()) checkPem(`${name}.${i}`, one, label);
  else checkPem(name, given, label);
}

/** Throws `SmtpUsageError` `bad-option` for what is no PEM of this label (RFC 7468 2): a file's name in its place is easily given. */
export function checkPem(name: string, given: unknown, label: 'PRIVATE KEY' | 'CERTIFICATE'): void {
  const isText = typeof given === 'string' || given instanceof Uint8Array;
  if (isText && pem(given).includes(`${label}-----`)) return;
  const what = isText ? `no ${label} in PEM` : kindOf(given);
  throw new SmtpUsageError('bad-option', `${name} is ${what}: give what the file holds, -----BEGIN …, not the file's name`);
}
