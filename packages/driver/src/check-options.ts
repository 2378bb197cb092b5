import { PRESETS, type QuestionType, type ServerOptions, SmtpUsageError } from '@ehlo/engine';
import { isLocal } from './loopback.ts';
import type { Listener } from './transport.ts';

/** Throws `SmtpUsageError` where a question has no method of the handler that answers it, in the words of `serve`. */
export function checkQuestions({ preset = 'mx', extensions, auth }: ServerOptions, ask: readonly QuestionType[]): void {
  const need = (method: QuestionType, why: string): void => {
    if (!ask.includes(method)) throw new SmtpUsageError('missing-question', `${why}: give the handler a method ${method}`);
  };
  // What is no preset the engine refuses.
  for (const question of PRESETS[preset]?.mustAsk ?? []) need(question, `preset ${preset} takes no mail unasked`);
  if ((auth?.mechanisms ?? []).length > 0) need('auth', 'auth.mechanisms are names, and somebody has to carry them out');
  if (extensions?.includes('ETRN') && preset !== 'sink') need('info', 'ETRN needs somebody who starts the queue');
}

/** Throws `SmtpUsageError` where a listener can't give what the options rely on, as far as it says what it can give. */
export function checkProtection({ address, tls, proxied = false }: Listener, { starttls = 'off', auth, preset }: ServerOptions): void {
  if (starttls !== 'off' && tls === 'none')
    throw new SmtpUsageError('missing-tls', `starttls: '${starttls}' needs a certificate: give tls`);
  // RFC 2033 5: "As LMTP is a different protocol than SMTP, it MUST NOT be used on the TCP service port 25."
  if (preset === 'lmtp' && address.port === 25)
    throw new SmtpUsageError('bad-option', 'LMTP must not be on TCP port 25 (RFC 2033 5): give path, or another port');
  const unprotected = tls === 'none' || (tls === 'possible' && starttls === 'off');
  const inClear = auth?.inClear ?? (isLocal(address) && !proxied);
  if (!unprotected || inClear || (auth?.mechanisms ?? []).length === 0) return;
  const where = proxied ? 'behind a proxy' : `on ${address.address}`;
  const remedy = tls === 'none' ? 'give tls' : "leave starttls 'offered'";
  // RFC 4954 4, RFC 8314 4.1.
  const why = `${where}, passwords would cross the network in clear, and AUTH is never offered so`;
  throw new SmtpUsageError('unprotected', `without TLS ${why}: ${remedy}, or auth.inClear: true to allow it`);
}
