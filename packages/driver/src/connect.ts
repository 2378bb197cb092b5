import { checkOptions, type Extension, SmtpUsageError } from '@ehlo/engine';
import { Client } from './client.ts';
import { ClientError } from './client-error.ts';
import { CONNECT_OPTIONS, type ConnectOptions, type ServerName } from './client-options.ts';
import { notify, type Warn } from './notify.ts';
import { OTHER_NAMES } from './other-names.ts';
import { timer } from './timer.ts';
import { cutOff, type Transport } from './transport.ts';

/**
 * Greets the server over a transport, secures it and authenticates as the options say. Resolves when messages can be sent; rejects with
 * `ClientError` if there is no session, and with `SmtpUsageError` if the options are wrong. `server` is what was asked for. `warn` is told,
 * once, of a function of the program (`notice`, `progress`) that fails; default: the console.
 */
export async function connectOn<X extends Extension = never>(
  transport: Transport,
  options: ConnectOptions<X> = {},
  server: ServerName = {},
  warn?: Warn,
): Promise<Client<X>> {
  try {
    return await Client.open<X>(transport, checkOptions<ConnectOptions>(CONNECT_OPTIONS, options, OTHER_NAMES), server, warn);
  } catch (error) {
    // A session that has failed has left its transport; one that never was has not.
    if (error instanceof SmtpUsageError) cutOff(transport);
    throw error;
  }
}

/** What an adapter waits for before there is a session: the name of the limit, and the words for what is missing when it has run out. */
const STEPS = {
  connect: { limit: 'connectTimeout', missing: 'no connection' },
  tls: { limit: 'tlsTimeout', missing: 'no TLS handshake' },
} as const;

/**
 * For an adapter: opens a connection, or makes its TLS handshake, within `timeout` milliseconds; without end if that is infinite. The signal
 * that `open` gets aborts with the error that is then thrown; a result that still comes later is given to `discard`. Rejects with `SmtpUsageError`
 * `bad-limit`, before anything is opened, if `timeout` is no number above zero.
 */
export async function dial<T>(
  open: (signal: AbortSignal) => Promise<T>,
  discard: (late: T) => void,
  timeout: number,
  signal?: AbortSignal,
  stage: keyof typeof STEPS = 'connect',
): Promise<T> {
  const { limit, missing } = STEPS[stage];
  if (!(timeout > 0)) throw new SmtpUsageError('bad-limit', `${limit} must be a number above zero`);
  const controller = new AbortController();
  return await new Promise((resolve, reject) => {
    const settle = (): void => {
      clearTimeout(running);
      signal?.removeEventListener('abort', aborted);
    };
    const stop = (error: ClientError): void => {
      settle();
      reject(error);
      controller.abort(error);
    };
    const aborted = (): void => stop(new ClientError('aborted', 'aborted', { stage, cause: signal?.reason }));
    const late = (): void => stop(new ClientError('timeout', `${missing} within ${timeout / 1000} s`, { stage }));
    const running = timer(late, timeout);
    signal?.addEventListener('abort', aborted);
    open(controller.signal).then(
      (opened) => {
        settle();
        if (controller.signal.aborted) notify(() => discard(opened), NOTHING);
        else resolve(opened);
      },
      (error: unknown) => {
        settle();
        reject(error);
      },
    );
    if (signal?.aborted) aborted();
  });
}

const NOTHING = (): void => {};
