// A session with a server, by our own client.

import type { Failed, OpenOrder, Transaction } from '@ehlo/delivery';
import { type Client, ClientError } from '@ehlo/driver/programs';
import { CHUNKING } from '@ehlo/engine';
import { PARAMETERS } from '@ehlo/grammar';
import type { Means, RemoteSession } from '../runner/index.ts';
import type { ConnectTo } from './connect.ts';
import type { OutboundOptions } from './options.ts';
import { TlsCheck } from './tls-check.ts';

type Send = RemoteSession['send'];

/** Connects, greets, secures and authenticates; or says how far it came. `path` is that of a Unix socket, in place of the target's address. */
export async function openSession(
  order: OpenOrder,
  options: OutboundOptions,
  signal: AbortSignal,
  path?: string,
): ReturnType<Means['open']> {
  const { target, tls: demand, source } = order;
  const { connect, hostname, names = {}, ca, client: rest = {}, implicitTls = [465] } = options;
  const check = new TlsCheck(demand, target.host, ca);
  const given = options.auth?.(target) ?? null;
  const isImplicit = target.protocol === 'smtp' && implicitTls.includes(target.port);
  let stage: Failed['stage'] = 'connect';
  try {
    const client = await connect({
      ...rest,
      ...check.options,
      ...(given === null ? {} : authOf(given)),
      ...(isImplicit ? { implicitTls: true, starttls: 'required' } : {}),
      ...(source === undefined ? {} : { localAddress: source }),
      ...(path === undefined ? { host: target.address, port: target.port } : { path }),
      protocol: target.protocol === 'smtp' ? 'smtp' : 'lmtp',
      signal,
      hostname: names[source ?? ''] ?? hostname,
      features: [CHUNKING],
      parameters: PARAMETERS,
      notice: ({ type }) => {
        stage = AFTER[type] ?? stage;
      },
    });
    return sessionOf(client, check, options);
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    return failureOf(error, stage, check);
  }
}

/** How far a session has come when this was told. */
const AFTER: { readonly [notice: string]: Failed['stage'] } = { connected: 'greeting', greeting: 'hello' };

/** Credentials go under TLS alone, whatever else is demanded of the host, where the program does not say otherwise. */
function authOf({ credentials = 'verified', ...auth }: NonNullable<ReturnType<NonNullable<OutboundOptions['auth']>>>): Partial<ConnectTo> {
  return { auth, credentials, ...(credentials === 'cleartext' ? {} : { starttls: 'required' }) };
}

function failureOf({ stage, code, reply, message }: ClientError, reached: Failed['stage'], check: TlsCheck): Omit<Failed, 'type' | 'to'> {
  const at = stage === 'tls' || stage === 'auth' ? stage : reached;
  const result = code === 'tls-unavailable' ? 'starttls-not-supported' : (check.result ?? 'validation-failure');
  return { stage: at, text: message, ...(reply === null ? {} : { reply }), ...(at === 'tls' ? { result } : {}) };
}

function sessionOf(client: Client, { result }: Pick<TlsCheck, 'result'>, { sign, failed = () => {} }: OutboundOptions): RemoteSession {
  const { capabilities, tls } = client;
  return {
    opened: {
      extensions: Object.fromEntries(capabilities.extensions),
      tls: tls !== null,
      verified: tls?.peerCertificate?.authorized === true,
      ...(tls === null || result === null ? {} : { result }),
    },
    async send(transaction, content) {
      let header: Uint8Array = new Uint8Array(0);
      try {
        header = (await sign?.(transaction, content)) ?? header;
      } catch (error) {
        failed(error, 'sign');
        return { outcomes: transaction.recipients.map(() => UNSIGNED), open: client.canSend };
      }
      const message = header.length === 0 ? content : behind(header, content);
      const { outcomes, error } = await client.send(envelopeOf(transaction, header.length), message, { facts: factsOf(transaction) });
      if (error !== null && !(error instanceof ClientError)) failed(error, 'content');
      return { outcomes, open: client.canSend };
    },
    close: () => void client.close(),
    ended: client.closed.then(() => {}),
  };
}

/** Nothing was sent, and the cause is on this host: it is tried again later. */
const UNSIGNED = { status: 'unsent', stage: 'mail', cause: 'aborted', reply: null } as const;

/** What is declared is the machine's to say; the engine holds the content against it. */
function factsOf({ parameters }: Transaction): { readonly body: '7BIT' | '8BITMIME' | 'BINARYMIME'; readonly smtpUtf8: boolean } {
  return { body: parameters.body ?? '7BIT', smtpUtf8: parameters.smtpUtf8 === true };
}

function envelopeOf({ reversePath, parameters, recipients }: Transaction, header: number): Parameters<Client['send']>[0] {
  const { size } = parameters;
  return {
    reversePath,
    parameters: size === undefined ? parameters : { ...parameters, size: size + header },
    recipients: recipients.map(({ address, parameters: own }) => ({ forwardPath: address, parameters: own })),
  };
}

async function* behind(header: Uint8Array, content: Parameters<Send>[1]): AsyncGenerator<Uint8Array> {
  yield header;
  yield* content;
}
