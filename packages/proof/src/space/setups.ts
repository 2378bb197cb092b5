// Servers whose states are walked: together they have every phase, guard and condition of the table.
import { defineExtension, PRESETS, type ServerOptions } from '@ehlo/engine';

const SPACE = defineExtension({ keyword: 'XSPACE', spec: 'ours', offer: () => [], verbs: [{ verb: 'XSPACE', phases: ['ready', 'mail'] }] });

const hostname = 'mx.example.org';

export const SETUPS: { readonly [name: string]: ServerOptions } = {
  /** All extensions; everything is asked. */
  sink: {
    hostname,
    preset: 'sink',
    ask: ['connect', 'hello', 'mail', 'rcpt', 'data', 'message', 'info', 'starttls', 'auth', 'command', 'xclient'],
    starttls: 'offered',
    auth: { mechanisms: ['PLAIN'], inClear: true },
    trust: ['XCLIENT', 'XFORWARD'],
    extensions: [...PRESETS.sink.extensions, SPACE],
  },
  /** As little as can be: no CHUNKING, nothing asked but what has to be. */
  mx: { hostname, ask: ['rcpt', 'message'], extensions: ['PIPELINING', 'SIZE', '8BITMIME', 'SMTPUTF8'] },
  lmtp: { hostname, preset: 'lmtp', ask: ['rcpt', 'data', 'message'] },
  submission: {
    hostname,
    preset: 'submission',
    ask: ['message', 'auth'],
    starttls: 'required',
    auth: { mechanisms: ['PLAIN'] },
  },
  /** Small limits. */
  faults: { hostname, ask: ['rcpt', 'message'], limits: { faults: 2, faultDelay: 10 } },
  transactions: { hostname, ask: ['message'], preset: 'sink', extensions: [], limits: { transactions: 1 } },
  refusals: { hostname, ask: ['rcpt', 'message'], extensions: [], limits: { refusedRecipients: 1 } },
  chunks: { hostname, ask: ['rcpt', 'message'], limits: { smallChunks: 1, recipientDomains: 1 } },
  idle: { hostname, preset: 'sink', extensions: ['CHUNKING'], smallLimits: { idleCommands: 3, recipients: 1 } },
  sizes: { hostname, preset: 'sink', ask: ['message'], extensions: ['CHUNKING'], smallLimits: { messageSize: 4, drain: 3 } },
  logins: {
    hostname,
    preset: 'sink',
    ask: ['auth'],
    extensions: ['AUTH'],
    auth: { mechanisms: ['PLAIN'], inClear: true },
    limits: { faults: 2 },
  },
  early: { hostname, ask: ['connect', 'rcpt', 'message'], limits: { greetingDelay: 100 }, earlyTalkers: 'reject' },
};
