import { SmtpUsageError } from '@ehlo/engine';
import { Client } from './client.ts';
import { ClientError } from './client-error.ts';
import type { ConnectOptions, ServerName } from './client-options.ts';
import type { Transport } from './transport.ts';

/**
 * Greets the server over a transport, secures it and authenticates as the options say. Resolves when messages can be sent; rejects with
 * `ClientError` if there is no session, and with `SmtpUsageError` if the options are wrong. `server` is what was asked for.
 */
export async function connectOn(transport: Transport, options: ConnectOptions = {}, server: ServerName = {}): Promise<Client> {
  try {
    return await Client.open(transport, options, server);
  } catch (error) {
    // A session that has failed has left its transport; one that never was has not.
    if (error instanceof SmtpUsageError) transport.abort();
    throw error;
  }
}

/**
 * For an adapter: opens a connection within `timeout` milliseconds. The signal that `open` gets aborts with what is then thrown; what comes
 * too late all the same is given to `discard`.
 */
export function dial<T>(
  open: (signal: AbortSignal) => Promise<T>,
  discard: (late: T) => void,
  timeout: number,
  signal?: AbortSignal,
): Promise<T> {
  const controller = new AbortController();
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', aborted);
    };
    const stop = (error: ClientError): void => {
      settle();
      reject(error);
      controller.abort(error);
    };
    const aborted = (): void => stop(new ClientError('aborted', 'aborted', { cause: signal?.reason }));
    const timer = setTimeout(() => stop(new ClientError('timeout', `no connection within ${timeout / 1000} s`)), timeout);
    signal?.addEventListener('abort', aborted);
    open(controller.signal).then(
      (opened) => {
        settle();
        if (controller.signal.aborted) discard(opened);
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
