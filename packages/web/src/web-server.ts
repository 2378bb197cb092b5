import { randomBytes } from 'node:crypto';
import { open } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { type Answer, Refused, refusal } from './answer.ts';
import type { Desk } from './desk.ts';
import type { EventStream } from './event-stream.ts';
import { checkRequest, type GateOptions, isReading } from './gate.ts';
import { otherRoutes } from './other-routes.ts';
import { pageFiles } from './page-files.ts';
import { queueRoutes } from './queue-routes.ts';
import { type Asked, type Route, routed } from './router.ts';
import { apiRoutes } from './routes.ts';

/** Ours: octets of a body and of a header, connections, and milliseconds for a request and for a reader that stands still. */
const MOST_BODY = 65_536;
const MOST_HEADER = 16_384;
const MOST_CONNECTIONS = 256;
const REQUEST_MS = 30_000;
const HEADERS_MS = 10_000;
const STILL_MS = 120_000;

/** What is worth to be compressed. */
const COMPRESSED = 1400;
const squeeze = promisify(gzip);

/** On every answer; what a route says beside it comes first. */
const ALWAYS = {
  'x-content-type-options': 'nosniff',
  'x-dns-prefetch-control': 'off',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
};

/** Where the HTTP server listens, and who may ask. */
export interface HttpOptions extends GateOptions {
  readonly host: string;
  readonly port: number;
  /** Told of what went wrong while a request was answered. */
  readonly failed: (error: unknown) => void;
}

/** The HTTP server. */
export interface Http {
  readonly address: AddressInfo;
  close(): Promise<void>;
}

/** Listens; rejects with Node's error. */
export async function listenHttp(desk: Desk, options: HttpOptions): Promise<Http> {
  const routes = [...apiRoutes(desk), ...queueRoutes(desk.queue), ...otherRoutes(desk)];
  const files = await pageFiles();
  const server = createServer(
    { maxHeaderSize: MOST_HEADER, requestTimeout: REQUEST_MS, headersTimeout: HEADERS_MS },
    (request, response) => {
      void answered(request, response, routes, files, desk.events, options).catch((error: unknown) => {
        if (!response.destroyed) options.failed(error);
        response.destroy();
      });
    },
  );
  server.maxConnections = MOST_CONNECTIONS;
  server.setTimeout(STILL_MS);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, resolve);
  });
  return { address: server.address() as AddressInfo, close: () => closed(server, desk.events) };
}

function closed(server: Server, events: EventStream): Promise<void> {
  events.close();
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

async function answered(
  request: IncomingMessage,
  response: ServerResponse,
  routes: readonly Route[],
  files: ReadonlyMap<string, Answer>,
  events: EventStream,
  options: HttpOptions,
): Promise<void> {
  const { pathname, searchParams } = urlOf(request);
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  let answer: Answer;
  try {
    // The path of an image has a secret in it already, and who asks for one has no origin.
    checkRequest(request, options, pathname.startsWith('/cid/'));
    if (pathname === '/api/events' && request.method === 'GET') return events.open(response, ALWAYS);
    const file = files.get(pathname);
    if (file !== undefined && (request.method === 'GET' || request.method === 'HEAD')) answer = file;
    else {
      const { route, params } = routed(routes, request.method ?? '', pathname);
      let body: Promise<unknown> | null = null;
      const once = (): Promise<unknown> => (body ??= bodyOf(request));
      const asked: Asked = { query: searchParams, params, signal: gone.signal, body: once };
      answer = await route.answer(asked);
    }
  } catch (error) {
    if (!(error instanceof Refused)) options.failed(error);
    answer = refusal(error instanceof Refused ? error : new Refused(500, 'it failed; the server has said why'));
  }
  await send(request, response, answer);
}

function urlOf({ url = '/' }: IncomingMessage): URL {
  try {
    return new URL(url, 'http://localhost');
  } catch {
    return new URL('http://localhost/none');
  }
}

async function send(request: IncomingMessage, response: ServerResponse, { status, headers, body, file }: Answer): Promise<void> {
  if (response.destroyed) return;
  const all: { [name: string]: string } = { ...ALWAYS, ...headers };
  if (status === 401) all['www-authenticate'] = 'Basic realm="ehlo", charset="UTF-8"';
  // What was not read of a body is not waited for.
  if (!request.complete && !isReading(request.method)) all.connection = 'close';
  if (headers.etag !== undefined && request.headers['if-none-match'] === headers.etag) {
    response.writeHead(304, all).end();
    return;
  }
  if (file !== undefined) {
    const handle = await open(file).catch(() => null);
    if (handle === null) return await send(request, response, refusal(new Refused(404, 'it is gone')));
    response.writeHead(status, all);
    if (request.method === 'HEAD') {
      await handle.close();
      response.end();
    } else await pipeline(handle.createReadStream(), response).catch(() => response.destroy());
    return;
  }
  const octets = typeof body === 'string' ? Buffer.from(body) : body;
  const packed = isPacked(request, all, octets.length) ? await squeeze(octets) : octets;
  if (packed !== octets) Object.assign(all, { 'content-encoding': 'gzip', vary: 'accept-encoding' });
  response.writeHead(status, { ...all, 'content-length': packed.length });
  response.end(request.method === 'HEAD' ? undefined : packed);
}

function isPacked(
  { headers }: IncomingMessage,
  { 'content-type': type = '' }: { readonly [name: string]: string },
  octets: number,
): boolean {
  return (
    octets > COMPRESSED && /\bgzip\b/.test(String(headers['accept-encoding'])) && /^(?:text\/|application\/json|image\/svg)/.test(type)
  );
}

/** The body as JSON. */
async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    length += part.length;
    if (length > MOST_BODY) throw new Refused(413, `a body has ${MOST_BODY} octets at the most`);
    parts.push(part);
  }
  if (length === 0) return undefined;
  try {
    return JSON.parse(Buffer.concat(parts).toString('utf8'));
  } catch {
    throw new Refused(400, 'the body is no JSON');
  }
}

/** A value that nobody can guess, of this start. */
export function newToken(): string {
  return randomBytes(16).toString('base64url');
}
