import type { ListenerConfig, TlsConfig, UsersConfig } from './config.ts';
import { list, map, number, type OptionsOf, type Section, SWITCH, text, word } from './kinds.ts';

/** A place where mail comes in. */
export const LISTENER: Section = {
  title: 'A listener',
  words: 'A port or a Unix socket, and what it is for.',
  options: {
    kind: {
      kind: word('mx', 'submission', 'lmtp'),
      required: true,
      words:
        'mx takes mail for the domains from anybody; submission takes mail from users, and completes it; lmtp is told of each recipient.',
      source: 'RFC 5321, RFC 6409, RFC 2033',
    },
    name: {
      kind: text('name'),
      words: 'By which logs call it, and the socket of systemd that it takes (FileDescriptorName). Left out: its kind and port.',
    },
    host: { kind: text('ip'), default: '::', words: 'The address to listen on; "::" is all of them, "127.0.0.1" this machine alone.' },
    port: { kind: number(0, 65_535), words: 'The TCP port. Left out: 25 of mx, 587 of submission (465 with tls "implicit"), 24 of lmtp.' },
    path: { kind: text('path'), words: 'A Unix socket in place of host and port.' },
    mode: { kind: text('mode'), words: 'The mode of the Unix socket.' },
    tls: {
      kind: word('off', 'offered', 'required', 'implicit'),
      words:
        'STARTTLS: off, offered, or required before anything is taken; or TLS from the first octet. Left out: required of submission, offered of mx where there is a certificate, off of a Unix socket.',
      source: 'RFC 3207, RFC 8314',
    },
    auth: {
      kind: SWITCH,
      default: true,
      words: 'Of submission: whether users have to log in. Without it only networks in relayFrom can send.',
      source: 'RFC 6409 4.3',
    },
    openRelay: {
      kind: SWITCH,
      default: false,
      words: 'Takes mail from anybody to anybody. Spammers find it within hours: never on a public address.',
    },
    proxies: {
      kind: list(text('network')),
      default: [],
      words: 'Proxies whose connections begin with a header that says whose they are.',
      source: 'PROXY protocol of HAProxy',
    },
    xclient: { kind: list(text('network')), default: [], words: 'Proxies that may say by XCLIENT whom they speak for.' },
    nullMx: {
      kind: SWITCH,
      default: true,
      words: 'Of mx: whether senders are refused whose domain says that it takes no mail, and so no notice.',
      source: 'RFC 7505 4.2',
    },
  } satisfies OptionsOf<ListenerConfig>,
};

export const TLS: Section = {
  title: 'The certificate',
  words: 'Read again by SIGHUP, for the handshakes that follow.',
  options: {
    cert: { kind: text('path'), required: true, words: 'The certificate with its chain, in PEM.' },
    key: { kind: text('path'), required: true, words: 'Its private key, in PEM.' },
  } satisfies OptionsOf<TlsConfig>,
};

export const USERS: Section = {
  title: 'Users',
  words: 'Read again by SIGHUP.',
  options: {
    file: {
      kind: text('path'),
      required: true,
      words: 'One user a line: name:password, or better name:{SCRAM-SHA-256}iterations,salt,storedKey,serverKey.',
    },
    senders: {
      kind: map('text', list(text('address-pattern'))),
      default: {},
      words: 'The addresses that a user may send as. Who is not listed may send as anybody; "*" is for all who are not listed.',
      source: 'RFC 6409 6.1',
    },
  } satisfies OptionsOf<UsersConfig>,
};
