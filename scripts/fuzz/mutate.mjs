// Changes of inputs: octet by octet, and by the words of a target.
import { Buffer } from 'node:buffer';

/** Numbers from 0 below `below`, the same for the same seed. */
export function random(seed) {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

const OCTETS = [0, 9, 10, 13, 32, 34, 40, 41, 46, 58, 59, 60, 61, 62, 64, 92, 127, 128, 195, 255];
const NUMBERS = ['0', '1', '-1', '2147483648', '9007199254740993', '18446744073709551616', '00'];

/** One of the corpus, changed once or several times. */
export function changed(corpus, words, dice, longest) {
  const one = (list) => list[dice(list.length)];
  let octets = Buffer.from(one(corpus));
  for (let left = 1 + dice(5); left > 0; left--) octets = CHANGES[dice(CHANGES.length)](octets, { corpus, words, dice, one });
  return new Uint8Array(octets.subarray(0, longest));
}

const put = (octets, at, what, end = at) => Buffer.concat([octets.subarray(0, at), Buffer.from(what), octets.subarray(end)]);
const place = (octets, dice) => dice(octets.length + 1);

const CHANGES = [
  (octets, { dice, one }) => put(octets, place(octets, dice), [one(OCTETS)]),
  (octets, { dice }) => put(octets, place(octets, dice), [dice(256)]),
  (octets, { dice }) => {
    const at = place(octets, dice);
    return put(octets, at, [dice(256)], at + 1);
  },
  (octets, { dice, one, words }) => put(octets, place(octets, dice), Buffer.from(one(words), 'latin1')),
  (octets, { dice, one, words }) => put(octets, place(octets, dice), Buffer.from(one(words), 'latin1')),
  (octets, { dice, one }) => put(octets, place(octets, dice), one(NUMBERS)),
  (octets, { dice }) => {
    const at = place(octets, dice);
    return put(octets, at, [], at + 1 + dice(16));
  },
  (octets, { dice }) => {
    const at = place(octets, dice);
    return put(octets, place(octets, dice), octets.subarray(at, at + dice(64)));
  },
  (octets, { dice, one, corpus }) => {
    const other = one(corpus);
    const at = dice(other.length + 1);
    return put(octets, place(octets, dice), other.subarray(at, at + dice(200)));
  },
  (octets, { dice }) => put(octets, place(octets, dice), Buffer.alloc(dice(100), octets[place(octets, dice)] ?? 65)),
];
