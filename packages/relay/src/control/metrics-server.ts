// OpenMetrics text by HTTP, for programs of this machine.

import { createServer, type IncomingMessage } from 'node:http';
import { type AddressInfo, isIP } from 'node:net';
import { OPEN_METRICS } from '../watch/openmetrics.ts';

/** Ours: octets of a request, connections, and milliseconds for a request. */
const MOST_HEADER = 8192;
const MOST_CONNECTIONS = 16;
const REQUEST_MS = 10_000;

/** Where metrics are read: `GET /metrics`. */
export interface MetricsPlace {
  /** An address of the loopback interface. Default: 127.0.0.1. */
  readonly host?: string;
  /** 0: any that is free. */
  readonly port: number;
}

export interface MetricsServer {
  readonly port: number;
  close(): Promise<void>;
}

/** Listens. Rejects with a RangeError where others could reach it, and with Node's error. */
export async function serveMetrics(
  { host = '127.0.0.1', port }: MetricsPlace,
  text: () => Promise<string>,
  failed: (error: unknown, what: string) => void,
): Promise<MetricsServer> {
  if (host !== '::1' && !/^127(?:\.[0-9]{1,3}){3}$/.test(host))
    throw new RangeError(`metrics are for programs of this machine: ${host} is no address of its loopback interface`);
  const server = createServer(
    { maxHeaderSize: MOST_HEADER, requestTimeout: REQUEST_MS, headersTimeout: REQUEST_MS },
    (request, response) => {
      const status = statusOf(request);
      if (status !== 200) {
        response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end('GET /metrics\n');
        return;
      }
      text().then(
        (body) => response.writeHead(200, { 'content-type': OPEN_METRICS, 'cache-control': 'no-store' }).end(body),
        (error: unknown) => {
          failed(error, 'metrics');
          response.writeHead(500).end();
        },
      );
    },
  );
  server.maxConnections = MOST_CONNECTIONS;
  server.setTimeout(REQUEST_MS);
  await new Promise<void>((done, refused) => {
    server.once('error', refused);
    server.listen(port, host, done);
  });
  server.on('error', (error) => failed(error, 'metrics'));
  const close = (): Promise<void> =>
    new Promise((done) => {
      server.close(() => done());
      server.closeAllConnections();
    });
  return { port: (server.address() as AddressInfo).port, close };
}

/** A page elsewhere, whose name leads here, is told nothing. */
function statusOf({ method, url, headers }: IncomingMessage): number {
  const [, host = ''] = /^\[?([^\]]*?)\]?(?::[0-9]+)?$/.exec(headers.host ?? '') ?? [];
  if (isIP(host) === 0 && host !== 'localhost') return 421;
  if (url?.split('?')[0] !== '/metrics') return 404;
  return method === 'GET' ? 200 : 405;
}
