// Every option of the configuration: one row each, from which follow what is checked, the JSON Schema and the page.

import type { ControlConfig, DeliveryConfig, DnsConfig, LimitsConfig, ListConfig, LogConfig, RelayConfig } from './config.ts';
import { duration, list, map, number, type OptionsOf, octets, type Section, SWITCH, section, text, word } from './kinds.ts';
import { LISTENER, TLS, USERS } from './table-listeners.ts';
import { QUEUES, ROUTES } from './table-places.ts';

const LIST: Section = {
  title: 'A mailing list',
  words: 'Mail to its address goes to all members, and what fails is told to its owner.',
  options: {
    members: { kind: list(text('address')), default: [], words: 'Addresses of the members.' },
    membersFile: { kind: text('path'), words: 'A file of more members, one address a line.' },
    owner: {
      kind: text('address'),
      required: true,
      words: 'Who is told of failures: the reverse-path of what the list sends.',
      source: 'RFC 5321 3.9.2',
    },
  } satisfies OptionsOf<ListConfig>,
};

const CLASSES = ['loopback', 'private', 'shared', 'link-local', 'documentation', 'benchmark'];

const DELIVERY: Section = {
  title: 'Delivery',
  words: 'How mail goes out. What is left out follows from the preset.',
  options: {
    preset: {
      kind: word('mta', 'submission', 'smarthost', 'test'),
      default: 'mta',
      words:
        'What is set together: mta between domains; submission for users of your own, who are told of delays sooner; smarthost where one host of your own takes everything; test in seconds, on loopback, too.',
    },
    expiry: { kind: duration(1000), words: 'When a message that nobody takes is given up.', source: 'RFC 5321 4.5.4.1: 4 to 5 days' },
    noticeExpiry: { kind: duration(1000), words: 'When a notice that nobody takes is given up.', source: 'RFC 5321 4.5.4.1' },
    delayed: { kind: duration(), words: 'When the sender is told of a delay, once; 0s: never.' },
    pauses: {
      kind: list(duration(1000), 1),
      words: 'The pauses between tries; the last is repeated.',
      source: 'RFC 5321 4.5.4.1: at least 30 minutes',
    },
    families: {
      kind: list(word('ipv4', 'ipv6'), 1),
      default: ['ipv6', 'ipv4'],
      words: 'Which addresses are connected to, in which order.',
      source: 'RFC 5321 5.2',
    },
    allow: {
      kind: list(word(...CLASSES)),
      words: 'Kinds of addresses beside public ones that the DNS may send mail to; those of a route always may.',
      source: 'RFC 6890',
    },
    sources: {
      kind: list(
        section({
          title: 'A source address',
          words: 'An address of this machine that mail leaves from.',
          options: {
            address: { kind: text('ip'), required: true, words: 'The address.' },
            hostname: {
              kind: text('hostname'),
              required: true,
              words: 'The name in EHLO: the one that the address has in the DNS.',
              source: 'RFC 5321 4.1.4',
            },
          },
        }),
      ),
      default: [],
      words: 'Addresses of this machine that mail leaves from, by turns, each with its name. None: the system chooses.',
    },
    ca: {
      kind: text('path'),
      words:
        'Authorities, in PEM, by which certificates of servers and of policy hosts are verified, in place of those that the runtime comes with. SIGHUP reads it again.',
      source: 'RFC 8689 2, RFC 8461 3.3, RFC 8314',
    },
    sign: {
      kind: text('path'),
      words:
        'A module that exports a function sign: it is called with each transaction and the octets of the message, and gives header fields to put in front, such as a DKIM-Signature, or null.',
      source: 'RFC 6376',
    },
    sts: { kind: SWITCH, default: true, words: 'Whether MTA-STS policies are asked for and followed.', source: 'RFC 8461' },
    dane: {
      kind: SWITCH,
      default: true,
      words: 'Whether TLSA records are asked for and followed, where the resolver validates.',
      source: 'RFC 7672',
    },
    unknown: {
      kind: word('retry', 'once'),
      default: 'retry',
      words:
        'What is done where nobody knows whether a message was taken: sent again after a pause, at the price of a second copy, or told to the sender.',
      source: 'RFC 1047',
    },
    mostRecipients: {
      kind: number(1, 10_000),
      default: 100,
      words: 'Recipients of one transaction; 1: nobody learns of the others.',
      source: 'RFC 5321 4.5.3.1.8',
    },
    sessions: { kind: number(1, 100_000), default: 1000, words: 'Sessions at a time.' },
    sessionsPerHost: { kind: number(1, 1000), default: 20, words: 'Sessions at a time with one host.' },
    sessionsPerDomain: { kind: number(1, 1000), default: 20, words: 'Sessions at a time for one domain.' },
  } satisfies OptionsOf<DeliveryConfig>,
};

const DNS: Section = {
  title: 'DNS',
  words: 'Who is asked for names.',
  options: {
    servers: { kind: list(text('resolver')), default: [], words: 'Resolvers. None: those of the system.' },
    trustResolver: {
      kind: SWITCH,
      default: false,
      words:
        'Believe what a resolver elsewhere says of DNSSEC: only over a network that nobody else can write to. One on a loopback address is believed always.',
      source: 'RFC 7672 2.1.1',
    },
  } satisfies OptionsOf<DnsConfig>,
};

const LIMITS: Section = {
  title: 'Limits',
  words: 'What one client, and all of them, may take.',
  options: {
    connections: { kind: number(1, 1_000_000), default: 1000, words: 'Connections of one listener at a time; one more is told 421.' },
    connectionsPerClient: {
      kind: number(1, 1_000_000),
      default: 50,
      words: 'Connections of one client address at a time (of IPv6: of one /64); networks in relayFrom are exempt.',
    },
    messageSize: {
      kind: octets(65_536),
      default: '35MiB',
      words: 'The largest message; SIZE announces it.',
      source: 'RFC 5321 4.5.3.1.7: at least 64 KiB',
    },
    recipients: {
      kind: number(100, 100_000),
      default: 1000,
      words: 'Recipients of a message.',
      source: 'RFC 5321 4.5.3.1.8: at least 100',
    },
    hops: {
      kind: number(100, 1000),
      default: 100,
      words: 'Received fields that a message may have; more is a loop.',
      source: 'RFC 5321 6.3: at least 100',
    },
    memory: {
      kind: octets(1_048_576),
      default: '64MiB',
      words: 'What messages that arrive may take of memory, all together; what is more waits in files.',
    },
    scratch: { kind: text('path'), words: 'The folder of those files. Left out: that of the system for temporary files.' },
    grace: { kind: duration(), default: '30s', words: 'How long sessions may go on when the relay stops.' },
    authFailures: { kind: number(1, 1000), default: 5, words: 'Failed logins of one client address until it is told to come back later.' },
    authPause: { kind: duration(1000), default: '10m', words: 'For how long it is told so, and after which its failures are forgotten.' },
  } satisfies OptionsOf<LimitsConfig>,
};

const LOG: Section = {
  title: 'Logs',
  words: 'What is told of what happens, on standard output.',
  options: {
    format: { kind: word('text', 'json'), default: 'text', words: 'Lines for people, or a JSON object a line.' },
    level: { kind: word('error', 'warn', 'info', 'debug'), default: 'info', words: 'The least that is told.' },
  } satisfies OptionsOf<LogConfig>,
};

const CONTROL: Section = {
  title: 'To look at it',
  words: 'For ehlo queue, and for programs that gather figures.',
  options: {
    socket: {
      kind: text('path'),
      default: '/run/ehlo/control.sock',
      words:
        'The Unix socket that ehlo queue asks: its owner alone can reach it, and its folder must be one that nobody else may write to.',
    },
    metrics: {
      kind: number(0, 65_535),
      words: 'The port on 127.0.0.1 where figures are read as OpenMetrics text, at /metrics. Left out: nowhere.',
    },
  } satisfies OptionsOf<ControlConfig>,
};

/** All of it. */
export const CONFIG: Section = {
  title: 'The relay',
  words: 'What stands at the top of the file.',
  options: {
    hostname: {
      kind: text('hostname'),
      required: true,
      words: 'The name of this host, as the DNS has it: in the greeting, in EHLO, in Received fields and notices.',
      source: 'RFC 5321 4.1.1.1, 2.3.5',
    },
    postmaster: {
      kind: text('address'),
      required: true,
      words: 'Who reads mail to postmaster, of this host and of every domain that has no postmaster of its own. It is never refused.',
      source: 'RFC 5321 4.5.1',
    },
    names: {
      kind: list(text('host-or-ip')),
      default: [],
      words: 'Other names and addresses by which MX records may mean this host, so that mail does not come back to it.',
      source: 'RFC 5321 5.1',
    },
    listeners: { kind: list(section(LISTENER), 1), required: true, words: 'Where mail comes in.' },
    tls: { kind: section(TLS), words: 'The certificate of all listeners.' },
    users: { kind: section(USERS), words: 'Who may log in on a submission listener.' },
    relayFrom: {
      kind: list(text('relay-network')),
      default: [],
      words: 'Addresses and networks that may send mail to any domain without a login. None is there by itself, loopback neither.',
    },
    domains: {
      kind: list(text('domain')),
      default: [],
      words: 'Domains that mail is taken for from anybody. Where it goes is for routes to say.',
    },
    recipients: {
      kind: list(text('address-pattern')),
      default: [],
      words: 'Mailboxes of these domains. Who is neither here nor an alias nor a list is refused at RCPT, so that nothing bounces later.',
    },
    recipientsFile: { kind: text('path'), words: 'A file of more of them, one a line. SIGHUP reads it again.' },
    subaddress: {
      kind: word('+', '-', '='),
      words: 'The character behind which a local part may have a detail: with "+", ann+lists is taken where ann is.',
      source: 'RFC 5233',
    },
    aliases: {
      kind: map('address', list(text('address'), 1)),
      default: {},
      words: 'Addresses of these domains that stand for others; the reverse-path stays.',
      source: 'RFC 5321 3.9.1',
    },
    aliasesFile: {
      kind: text('path'),
      words: 'A file of more of them, one a line: info@example.org: ann@example.org, joe@example.net. SIGHUP reads it again.',
    },
    lists: { kind: map('address', section(LIST)), default: {}, words: 'Mailing lists, by their addresses.', source: 'RFC 5321 3.9.2' },
    routes: {
      kind: list(ROUTES),
      default: [],
      words: 'Where mail goes, by domain; the first route that fits is taken. Without one the DNS says it.',
    },
    queue: { kind: QUEUES, required: true, words: 'Where mail waits.' },
    delivery: { kind: section(DELIVERY), default: {}, words: 'How mail goes out.' },
    dns: { kind: section(DNS), default: {}, words: 'Who is asked for names.' },
    limits: { kind: section(LIMITS), default: {}, words: 'What clients may take.' },
    control: { kind: section(CONTROL), words: 'How the queue is looked at and operated while the relay runs.' },
    log: { kind: section(LOG), default: {}, words: 'What is told.' },
  } satisfies OptionsOf<RelayConfig>,
};
