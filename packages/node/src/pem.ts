/** PEM as Node's types want it. */
export function pem(given: string | Uint8Array): string | Buffer {
  return typeof given === 'string' ? given : Buffer.from(given);
}

/** One or several. */
export function pems(given: string | Uint8Array | readonly (string | Uint8Array)[]): string | Buffer | (string | Buffer)[] {
  return typeof given === 'string' || given instanceof Uint8Array ? pem(given) : given.map(pem);
}
