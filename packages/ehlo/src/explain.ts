import { type Handler, type ServeOptions, type Sink, serveOn, type Transport } from '@ehlo/driver';
import { LIMITS, type LimitName, PRESETS } from '@ehlo/engine';
import { latin1, octets } from '@ehlo/grammar';
import { SERVER_LIMITS } from './words/server-limits.ts';

/** What a client of this server is told, and by what rules it is judged. */
export interface Explanation {
  readonly hostname: string;
  readonly preset: string;
  readonly protocol: 'smtp' | 'lmtp';
  /** Deviations from the grammar that are taken. */
  readonly tolerates: readonly string[];
  readonly bareLineEnds: string;
  readonly authRequired: boolean;
  readonly limits: {
    readonly [name: string]: { readonly value: number; readonly unit: string; readonly source: string; readonly what: string };
  };
  /** The answer to EHLO (LHLO), line by line: in clear, and under TLS; null where there is no such connection. */
  readonly hello: { readonly clear: readonly string[]; readonly tls: readonly string[] | null };
}

/** Asks a server that is made by these options, over no network. */
export async function explain(options: ServeOptions, handler: Handler): Promise<Explanation> {
  const preset = options.preset ?? 'mx';
  const { protocol, tolerate, bareLineEnds, authRequired, limits } = PRESETS[preset];
  const chosen = { ...limits, ...options.limits };
  const names = Object.keys(LIMITS) as LimitName[];
  return {
    hostname: options.hostname,
    preset,
    protocol,
    tolerates: [...(options.tolerate ?? tolerate)],
    bareLineEnds: options.bareLineEnds ?? bareLineEnds,
    authRequired,
    limits: Object.fromEntries(names.map((name) => [name, { ...pick(name), value: chosen[name] ?? LIMITS[name].value }])),
    hello: {
      clear: await helloAnswer(options, handler, protocol, false),
      tls: options.starttls === 'off' ? null : await helloAnswer(options, handler, protocol, true),
    },
  };
}

function pick(name: LimitName): { readonly unit: string; readonly source: string; readonly what: string } {
  const { unit, source } = LIMITS[name];
  return { unit, source, what: SERVER_LIMITS[name].what };
}

/** The explanation for people. */
export function explanationText({ hostname, preset, protocol, tolerates, bareLineEnds, authRequired, limits, hello }: Explanation): string {
  const wide = Math.max(...Object.keys(limits).map((name) => name.length));
  const rows = Object.entries(limits).map(
    ([name, { value, unit, source, what }]) => `  ${name.padEnd(wide)}  ${value} ${unit}: ${what} (${source})`,
  );
  const answer = (title: string, lines: readonly string[]): string[] => [title, ...lines.map((line) => `  ${line}`)];
  return [
    `${hostname}: ${protocol.toUpperCase()}, preset ${preset}`,
    `deviations taken: ${tolerates.join(', ') || 'none'}`,
    `bare CR and LF in messages: ${bareLineEnds}`,
    `authentication: ${authRequired ? 'required' : 'as the client likes'}`,
    'limits:',
    ...rows,
    ...answer(`the answer to ${protocol === 'lmtp' ? 'LHLO' : 'EHLO'} in clear:`, hello.clear),
    ...(hello.tls === null ? [] : answer('and under TLS:', hello.tls)),
  ].join('\n');
}

/** One conversation with the real server, over a transport that only remembers. */
async function helloAnswer(options: ServeOptions, handler: Handler, protocol: 'smtp' | 'lmtp', tls: boolean): Promise<readonly string[]> {
  let sink: Sink | null = null;
  let text = '';
  const nothing = (): void => {};
  const transport: Transport = {
    peer: { address: '192.0.2.1', port: 0 },
    local: { address: '192.0.2.2', port: 0 },
    unwritten: 0,
    tls: tls ? { protocol: 'TLSv1.3', cipher: '', servername: '', bindings: new Map([['tls-exporter', new Uint8Array(32)]]) } : undefined,
    secure: tls || options.starttls === 'off' ? undefined : () => Promise.reject(new Error('nobody speaks TLS here')),
    start: (to) => {
      sink = to;
    },
    write: (bytes) => {
      text += latin1(bytes, 0, bytes.length);
      return true;
    },
    pause: nothing,
    resume: nothing,
    close: nothing,
    abort: nothing,
  };
  const listener = {
    address: transport.local,
    accept: (connected: (transport: Transport) => void) => connected(transport),
    close: async () => {},
  };
  // What holds the greeting back says nothing of the answer: here nobody waits.
  const limits = { ...options.limits, greetingDelay: 0 };
  const server = serveOn(listener, { ...options, limits, trace: false, grace: 0 }, handler);
  sink!.data(octets(`${protocol === 'lmtp' ? 'LHLO' : 'EHLO'} client.example\r\n`));
  await new Promise((resolve) => setImmediate(resolve));
  await server.close();
  const lines = text.split('\r\n').filter((line) => line.startsWith('250'));
  return lines;
}
