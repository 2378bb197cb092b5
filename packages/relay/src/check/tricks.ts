// Ways to have a host pass mail on that did not mean to: each is tried, and none may be taken from a stranger.

/** The commands before RCPT, and the form of the recipient. */
export interface Trick {
  /** What it is, in a few words. */
  readonly name: string;
  /** Lines in front of EHLO. */
  readonly before?: readonly string[];
  /** Lines between EHLO and MAIL. */
  readonly between?: readonly string[];
  readonly mail?: string;
  readonly rcpt: string;
}

export interface Place {
  /** A domain or name of ours. */
  readonly us: string;
  /** The address of this host that the client is connected to. */
  readonly local: string;
  /** An address that may relay; or one that might. */
  readonly trusted: string;
}

const THEM = 'victim.example';

/** All of them, for one domain of ours. */
export function tricksOf({ us, local, trusted }: Place): readonly Trick[] {
  const family = trusted.includes(':') ? 6 : 4;
  return [
    { name: 'another domain', rcpt: `<user@${THEM}>` },
    { name: 'another domain, in capitals', rcpt: `<USER@${THEM.toUpperCase()}>` },
    { name: 'another domain, with a dot at its end', rcpt: `<user@${THEM}.>` },
    { name: 'a domain that ends as ours does', rcpt: `<user@not-${us}>` },
    { name: 'a domain below ours', rcpt: `<user@below.${us}>` },
    { name: 'percent sign', rcpt: `<user%${THEM}@${us}>` },
    { name: 'percent sign, twice', rcpt: `<user%${THEM}%${us}@${us}>` },
    { name: 'percent sign, at the address of this host', rcpt: `<user%${THEM}@[${local}]>` },
    { name: 'address in quotes', rcpt: `<"user@${THEM}"@${us}>` },
    { name: 'percent sign in quotes', rcpt: `<"user%${THEM}"@${us}>` },
    { name: 'exclamation mark', rcpt: `<${THEM}!user@${us}>` },
    { name: 'exclamation mark, after ours', rcpt: `<${us}!${THEM}!user@${us}>` },
    { name: 'source route', rcpt: `<@${us}:user@${THEM}>` },
    { name: 'source route of two hosts', rcpt: `<@${us},@relay.example:user@${THEM}>` },
    { name: 'source route by the address of this host', rcpt: `<@[${local}]:user@${THEM}>` },
    { name: 'source route with a percent sign', rcpt: `<@${us}:user%${THEM}@${us}>` },
    { name: 'two at signs', rcpt: `<user@${THEM}@${us}>` },
    { name: 'two at signs, ours first', rcpt: `<user@${us}@${THEM}>` },
    { name: 'address literal', rcpt: '<user@[203.0.113.77]>' },
    { name: 'address literal of IPv6', rcpt: '<user@[IPv6:2001:db8::77]>' },
    { name: 'postmaster of another domain', rcpt: `<postmaster@${THEM}>` },
    { name: 'postmaster with a percent sign', rcpt: `<postmaster%${THEM}@${us}>` },
    { name: 'a sender of ours', mail: `<postmaster@${us}>`, rcpt: `<user@${THEM}>` },
    { name: 'the null sender', mail: '<>', rcpt: `<user@${THEM}>` },
    { name: 'a sender of ours in AUTH=', mail: `<a@${us}> AUTH=postmaster@${us}`, rcpt: `<user@${THEM}>` },
    { name: 'a PROXY header', before: [`PROXY TCP${family} ${trusted} ${local} 40000 25`], rcpt: `<user@${THEM}>` },
    {
      name: 'XCLIENT with an address',
      between: [`XCLIENT ADDR=${family === 6 ? 'IPV6:' : ''}${trusted}`, 'EHLO client.example'],
      rcpt: `<user@${THEM}>`,
    },
    { name: 'XCLIENT with a login', between: ['XCLIENT LOGIN=postmaster', 'EHLO client.example'], rcpt: `<user@${THEM}>` },
    { name: 'XFORWARD', between: [`XFORWARD ADDR=${trusted} SOURCE=LOCAL`], rcpt: `<user@${THEM}>` },
  ];
}
