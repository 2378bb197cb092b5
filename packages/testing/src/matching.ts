import type { Facts, Match, Pattern } from './stub.ts';

/** Whether all that a stub asks for fits, but the number of times. */
export function fits(match: Match<Pattern>, facts: Facts): boolean {
  const { to, from, identity, mechanism, peer, hello, tls, header = {}, size } = match;
  return (
    (to === undefined || facts.to.some((one) => like(to, one))) &&
    isLike(from, facts.from) &&
    isLike(identity, facts.identity) &&
    isLike(mechanism, facts.mechanism) &&
    isLike(peer, facts.peer) &&
    isLike(hello, facts.hello) &&
    (tls === undefined || tls === facts.tls) &&
    Object.entries(header).every(([name, pattern]) => facts.header(name).some((value) => like(pattern, value))) &&
    (size === undefined ||
      (facts.size !== null && facts.size >= (size.least ?? 0) && facts.size <= (size.most ?? Number.POSITIVE_INFINITY)))
  );
}

function isLike(pattern: Pattern | undefined, text: string | null): boolean {
  return pattern === undefined || (text !== null && like(pattern, text));
}

/** Whether a text is as a pattern wants it. */
export function like(pattern: Pattern, text: string): boolean {
  if (typeof pattern === 'function') return pattern(text) === true;
  // A `g` or `y` would go on where the last one ended.
  return typeof pattern === 'string' ? glob(pattern.toLowerCase(), text.toLowerCase()) : text.search(pattern) >= 0;
}

/** Takes no more steps than the product of both lengths, whatever they are: after a `*` only the last one is tried anew. */
function glob(pattern: string, text: string): boolean {
  let p = 0;
  let star = -1;
  let from = 0;
  for (let t = 0; t < text.length; ) {
    if (pattern[p] === '*') {
      star = p++;
      from = t;
    } else if (p < pattern.length && (pattern[p] === '?' || pattern[p] === text[t])) {
      p++;
      t++;
    } else if (star >= 0) {
      p = star + 1;
      t = ++from;
    } else return false;
  }
  while (pattern[p] === '*') p++;
  return p === pattern.length;
}
