import { kindOf, SmtpUsageError } from '@ehlo/engine';

/** PEM as Node's types want it. */
export function pem(given: string | Uint8Array): string | Buffer {
  return typeof given === 'string' ? given : Buffer.from(given);
}

/** One or several. */
export function pems(given: string | Uint8Array | readonly (string | Uint8Array)[]): string | Buffer | (string | Buffer)[] {
  return typeof given === 'string' || given instanceof Uint8Array ? pem(given) : given.map(pem);
}

/** Throws `SmtpUsageError` `bad-option` for what is no PEM: a file's name in its place is easily given. */
export function checkPem(name: string, given: unknown): void {
  const isText = typeof given === 'string' || given instanceof Uint8Array;
  const what = isText ? 'no PEM' : kindOf(given);
  if (isText && pem(given).includes('-----BEGIN ')) return;
  throw new SmtpUsageError('bad-option', `${name} is ${what}; it must be what such a file holds: -----BEGIN …, not the file's name`);
}
