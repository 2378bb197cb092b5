// The forms of text that options take: what each must be, said in words, and the same as a rule.

import { isHostName, parseMailbox } from '@ehlo/grammar';
import { isNarrow, isNetwork } from '../front/networks.ts';

export interface Form {
  /** What it must be: behind "it must be". */
  readonly must: string;
  readonly example: string;
  fits(text: string): boolean;
}

const LINE = /^[^\p{Cc}]+$/u;
const LABEL = /^[\p{L}\p{N}_](?:[\p{L}\p{N}_-]*[\p{L}\p{N}_])?$/u;

export type FormName =
  | 'line'
  | 'pattern'
  | 'url'
  | 'database'
  | 'schema'
  | 'text'
  | 'hostname'
  | 'domain'
  | 'domain-pattern'
  | 'address'
  | 'address-pattern'
  | 'network'
  | 'relay-network'
  | 'ip'
  | 'host-or-ip'
  | 'resolver'
  | 'path'
  | 'name'
  | 'mode';

/** Every form by its name. */
export const FORMS: { readonly [name in FormName]: Form } = {
  text: { must: 'text on one line that is not empty', example: 'hello', fits: (text) => LINE.test(text) },
  hostname: {
    must: 'a full host name or an address literal',
    example: 'mx.example.org',
    fits: (text) => isHostName(text) && (text.startsWith('[') || text.includes('.')),
  },
  domain: { must: 'a mail domain', example: 'example.org', fits: isDomain },
  'domain-pattern': {
    must: 'a mail domain, ".example.org" for all below it, or "*" for all',
    example: '.example.org',
    fits: (text) => text === '*' || isDomain(text.replace(/^\./, '')),
  },
  address: { must: 'a mail address', example: 'ann@example.org', fits: isAddress },
  'address-pattern': {
    must: 'a mail address, or "*@example.org" for all of a domain',
    example: '*@example.org',
    fits: (text) => isAddress(text) || (text.startsWith('*@') && isDomain(text.slice(2))),
  },
  network: {
    must: 'an IP address or a network',
    example: '192.0.2.0/24',
    fits: isNetwork,
  },
  'relay-network': {
    must: 'an IP address or a network of no more than /8 (IPv6: /7), for all the world is an open relay, which only openRelay of a listener makes',
    example: '192.0.2.0/24',
    fits: isNarrow,
  },
  ip: { must: 'an IP address', example: '192.0.2.1', fits: isIp },
  'host-or-ip': { must: 'a host name or an IP address', example: 'smtp.example.net', fits: (text) => isIp(text) || isDomain(text) },
  resolver: { must: 'an IP address, with a port or without', example: '127.0.0.1:5353', fits: isResolver },
  path: { must: 'an absolute path', example: '/etc/ehlo/users', fits: (text) => text.startsWith('/') && !text.includes('\0') },
  line: { must: 'text that is not empty, without control characters', example: '/usr/bin/procmail', fits: (text) => LINE.test(text) },
  pattern: {
    must: 'an absolute path, in which {local}, {domain} and {address} may stand',
    example: '/var/mail/{domain}/{local}',
    fits: (text) => text.startsWith('/') && !text.includes('\0') && isFilled(text),
  },
  url: {
    must: 'a URL that begins with http:// or https:// and has no user in it, who is given by authorization',
    example: 'https://example.org/in',
    fits: (text) => isUrl(text, ['http:', 'https:']) && new URL(text).username + new URL(text).password === '',
  },
  database: {
    must: 'a URL that begins with postgres:// and has no password in it, which is given by password',
    example: 'postgres://relay@db.example.org/mail',
    fits: (text) => isUrl(text, ['postgres:', 'postgresql:', 'socket:']) && new URL(text).password === '',
  },
  schema: {
    must: 'a name of small letters, digits and underscores',
    example: 'ehlo',
    fits: (text) => /^[a-z_][a-z0-9_]{0,62}$/.test(text),
  },
  name: {
    must: 'a name of letters, digits, dots, hyphens and underscores',
    example: 'submission',
    fits: (text) => /^[\w.-]{1,64}$/.test(text),
  },
  mode: { must: 'an octal mode', example: '660', fits: (text) => /^0?[0-7]{3}$/.test(text) },
};

function isDomain(text: string): boolean {
  return text.length <= 255 && text.split('.').every((label) => label.length <= 63 && LABEL.test(label));
}

function isAddress(text: string): boolean {
  const parsed = parseMailbox(text);
  return parsed.ok && parsed.value.domain !== '';
}

function isIp(text: string): boolean {
  return isNetwork(text) && !text.includes('/');
}

function isResolver(text: string): boolean {
  const found = /^(?:\[([0-9a-fA-F:.]+)\]|([0-9.]+))(?::([0-9]{1,5}))?$/.exec(text);
  if (found === null) return isIp(text);
  return isIp(found[1] ?? found[2]!) && Number(found[3] ?? 53) <= 65_535;
}

function isUrl(text: string, schemes: readonly string[]): boolean {
  return URL.canParse(text) && schemes.includes(new URL(text).protocol);
}

/** Whether what stands in braces are names of an address. */
export function isFilled(text: string): boolean {
  return [...text.matchAll(/\{([^{}]*)\}/g)].every(([, name]) => ['local', 'domain', 'address'].includes(name!));
}
