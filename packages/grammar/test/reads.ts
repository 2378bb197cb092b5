export type Parser = (bytes: Uint8Array) => unknown;

/** How many octets a parser reads: one by one through an index, or the whole array through a method; a search as far as it goes. */
export function reads(parse: Parser, bytes: Uint8Array): number {
  let count = 0;
  const watched = (target: Uint8Array): Uint8Array =>
    new Proxy(target, {
      get(_, key) {
        if (typeof key === 'string' && /^[0-9]/.test(key)) {
          count++;
          return target[Number(key)];
        }
        const member: unknown = Reflect.get(target, key, target);
        if (typeof member !== 'function') return member;
        if (key === 'subarray') return (from?: number, to?: number) => watched(target.subarray(from, to));
        if (key === 'slice') {
          return (from?: number, to?: number): Uint8Array => {
            const copy = target.slice(from, to);
            count += copy.length;
            return copy;
          };
        }
        if (key === 'at') return (i: number) => watched(target)[i < 0 ? target.length + i : i];
        if (key === 'indexOf') {
          return (octet: number, from = 0): number => {
            const found = target.indexOf(octet, from);
            count += Math.max(0, (found < 0 ? target.length : found + 1) - from);
            return found;
          };
        }
        if (key !== 'constructor') count += target.length;
        return member.bind(target) as unknown;
      },
    });
  parse(watched(bytes));
  return count;
}
