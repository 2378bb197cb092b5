import { duration, type Kind, list, number, type Option, SECRET, type Section, text, word } from './kinds.ts';

const DOMAINS: Option = {
  kind: list(text('domain-pattern'), 1),
  required: true,
  words: 'Whose mail: ".example.org" is all below it, "*" all.',
};

const MX: Section = {
  title: 'Route by the DNS',
  words: 'As without a route: for what a later one would take.',
  options: { domains: DOMAINS },
};

const HOST: Section = {
  title: 'Route to a host',
  words: 'A smart host, or the server of a domain.',
  options: {
    domains: DOMAINS,
    hosts: { kind: list(text('host-or-ip'), 1), required: true, words: 'Hosts, tried in this order.' },
    port: { kind: number(1, 65_535), default: 25, words: 'Their port.' },
    tls: {
      kind: word('clear', 'opportunistic', 'name'),
      default: 'opportunistic',
      words:
        'clear: none; opportunistic: where it is offered; name: nothing without TLS and a valid certificate for the host, as passwords need it.',
      source: 'RFC 7435, RFC 8314',
    },
    user: { kind: text('text'), words: 'The name to log in with.' },
    password: { kind: SECRET, words: 'And the password.' },
  },
};

const LMTP: Section = {
  title: 'Route to an LMTP server',
  words: 'Final delivery: what it takes is delivered.',
  options: {
    domains: DOMAINS,
    host: { kind: text('host-or-ip'), default: '127.0.0.1', words: 'The server.' },
    port: { kind: number(1, 65_535), default: 24, words: 'Its port.' },
    path: { kind: text('path'), words: 'A Unix socket in place of host and port.' },
  },
};

const MAILDIR: Section = {
  title: 'Route to mail directories',
  words: 'Final delivery: each message is a file (maildir), on the disk before it is delivered.',
  options: {
    domains: DOMAINS,
    folder: {
      kind: text('pattern'),
      required: true,
      words:
        'The folder of a recipient: {local}, {domain} and {address} stand for what its address says, written so that it can be no other path.',
    },
  },
};

const HTTP: Section = {
  title: 'Route to a web address',
  words:
    'Final delivery: each message is posted (message/rfc822), for one recipient a time, with the envelope in Ehlo-Sender and Ehlo-Recipient.',
  options: {
    domains: DOMAINS,
    url: {
      kind: text('url'),
      required: true,
      words: 'Where it is posted. 2xx is delivered; 410, 413, 415 and 422 fail for good; all else is tried again.',
    },
    authorization: { kind: SECRET, words: 'What the header field Authorization says, such as Bearer and a token.' },
    timeout: { kind: duration(1000), default: '5m', words: 'Until the answer is there.' },
  },
};

const COMMAND: Section = {
  title: 'Route to a command',
  words:
    'Final delivery: a program reads each message, for one recipient a time, with SENDER and RECIPIENT in its environment. No shell is between.',
  options: {
    domains: DOMAINS,
    command: {
      kind: list(text('line'), 1),
      required: true,
      words:
        'The program and its arguments, in which {local}, {domain} and {address} stand for what the address says, written so that it can be no option and no path.',
      source: 'Exit codes of sysexits(3): 0 delivered, 75 later, 64 to 78 else for good',
    },
    timeout: { kind: duration(1000), default: '5m', words: 'How long it may run.' },
  },
};

/** Where mail of some domains goes. */
export const ROUTES: Kind = {
  is: 'variant',
  by: 'to',
  of: { mx: MX, host: HOST, lmtp: LMTP, maildir: MAILDIR, http: HTTP, command: COMMAND },
};

const SPOOL: Section = {
  title: 'Queue in files',
  words: 'A folder that one relay has for itself.',
  options: { folder: { kind: text('path'), required: true, words: 'The folder.' } },
};

const POSTGRES: Section = {
  title: 'Queue in PostgreSQL',
  words: 'A database that many relays share. It takes the package pg, which is installed beside.',
  options: {
    url: { kind: text('database'), required: true, words: 'The database.' },
    password: { kind: SECRET, words: 'The password of its user; asked for with each connection.' },
    schema: { kind: text('schema'), default: 'ehlo', words: 'The schema of the tables, which nothing else is kept in.' },
    connections: { kind: number(1, 1000), default: 10, words: 'Connections at a time.' },
    lease: {
      kind: duration(5000, 3_600_000),
      default: '30s',
      words:
        'After which the others have the jobs of a relay that has died, or that has not reached the database; 5 seconds to an hour. Shorter: sooner, and more is written.',
    },
  },
};

const MEMORY: Section = {
  title: 'Queue in memory',
  words: 'For trials: what is in it is lost when the relay ends.',
  options: {},
};

/** Where mail waits. */
export const QUEUES: Kind = { is: 'variant', by: 'kind', of: { spool: SPOOL, postgres: POSTGRES, memory: MEMORY } };
