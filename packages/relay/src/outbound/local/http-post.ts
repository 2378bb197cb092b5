import type { DeliveryOutcome } from '@ehlo/delivery';
import type { Means } from '../../runner/index.ts';
import type { OpenTransport } from '../options.ts';
import { accepted, type LocalDelivery, localSession, refused, UNKNOWN, Watched } from './local-session.ts';

export interface HttpPostOptions {
  /** `https:` or `http:`, without a user in it: that is for `headers`. */
  readonly url: string;
  /** Header fields of each request, such as `Authorization`. */
  readonly headers?: { readonly [name: string]: string };
  /** Until the answer is there; milliseconds. Default 300,000 (as RFC 5321 4.5.3.2.6, by half). */
  readonly timeout?: number;
}

/**
 * Posts each message, for one recipient a time, to a URL: `Content-Type: message/rfc822`, the envelope in `Ehlo-Sender` and `Ehlo-Recipient` (percent-encoded
 * as in a URI, RFC 3986 2.1, of UTF-8), and an `Idempotency-Key` that stays the same with each try. Redirects are not followed.
 *
 * - 2xx: delivered. 410, 413, 415, 422: for good, as this message or this recipient never will be.
 * - All others, 3xx and other 4xx included, can be corrected by an operator: the message is tried again.
 * - No answer: if the message was not sent completely it is tried again; otherwise the outcome is unknown.
 */
export function httpPost({ url, headers = {}, timeout = 300_000 }: HttpPostOptions): OpenTransport {
  const { protocol, username, password } = new URL(url);
  if (username !== '' || password !== '') throw new RangeError('the URL has a user in it: that is for `headers`');
  if (protocol !== 'https:' && protocol !== 'http:') throw new RangeError(`${url} is neither https: nor http:`);
  return async (_, { failed = () => {} }) =>
    localSession((delivery) => post(delivery, { url, headers, timeout }, failed), failed, protocol === 'https:' || isHere(url));
}

async function post(
  { reversePath, recipient, key, content }: LocalDelivery,
  options: Required<HttpPostOptions>,
  failed: Means['failed'],
): Promise<DeliveryOutcome> {
  const body = new Watched(content);
  const { url, headers, timeout } = options;
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        ...headers,
        'content-type': 'message/rfc822',
        'ehlo-sender': encodeURIComponent(reversePath),
        'ehlo-recipient': encodeURIComponent(recipient.address),
        'idempotency-key': encodeURIComponent(key),
      },
      body: streamOf(body),
      duplex: 'half',
      redirect: 'manual',
      signal: AbortSignal.timeout(timeout),
    } as RequestInit);
    // The rest of the response is not read.
    await response.body?.cancel();
    if (body.failure !== null) throw body.failure.error;
    // A positive answer before the end of the content does not count.
    if (response.ok && !body.isEnded) return refused(451, '4.4.2', 'It was answered before its end');
    return byStatus(response.status);
  } catch (error) {
    if (body.failure !== null) throw body.failure.error;
    if (body.isEnded) return UNKNOWN;
    // The error may contain the URL, which must not be shown to the sender.
    failed(error, 'http');
    return refused(451, '4.4.1', 'No answer');
  }
}

/** As fetch wants it. Where the content throws, so does the request, without its last chunk (RFC 9112 7.1). */
function streamOf(content: AsyncIterable<Uint8Array>): ReadableStream<Uint8Array> {
  const iterator = content[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await iterator.next();
        if (done === true) controller.close();
        else controller.enqueue(value);
      },
      async cancel() {
        await iterator.return?.();
      },
    },
    // Nothing is read ahead: what is read has left.
    { highWaterMark: 0 },
  );
}

/** RFC 9110 15.5, by what it says of the message and the recipient; RFC 3463. */
const STATUSES: { readonly [status: number]: readonly [code: number, enhanced: string] } = {
  410: [550, '5.1.1'],
  413: [552, '5.3.4'],
  415: [554, '5.6.1'],
  422: [554, '5.6.0'],
  429: [451, '4.3.2'],
  503: [451, '4.3.2'],
  507: [452, '4.3.1'],
};

function byStatus(status: number): DeliveryOutcome {
  const text = `HTTP ${status}`;
  if (status >= 200 && status < 300) return accepted(text);
  const [code, enhanced] = STATUSES[status] ?? [451, status < 500 ? '4.3.5' : '4.3.0'];
  return refused(code, enhanced, text);
}

/** Whether what is sent there stays on this host. */
function isHere(url: string): boolean {
  const { hostname } = new URL(url);
  return hostname === 'localhost' || hostname === '[::1]' || /^127\./.test(hostname);
}
