import type { ClientCause, Outcome } from '@ehlo/engine';
import type { ClientError, ClientErrorCode } from './client-error.ts';

/** What becomes of a message for which there is no connection. */
export function unsentBy({ code, stage, reply }: ClientError): Outcome {
  return { status: 'unsent', stage, cause: CAUSES[code] ?? 'lost', reply };
}

const CAUSES: { readonly [code in ClientErrorCode]?: ClientCause } = {
  'tls-unavailable': 'tls',
  'tls-failed': 'tls',
  certificate: 'tls',
  unprotected: 'tls',
  'auth-refused': 'refused',
  refused: 'refused',
  closing: 'closing',
  protocol: 'fault',
  'speaks-tls': 'fault',
  timeout: 'timeout',
  ended: 'ended',
  aborted: 'aborted',
};
