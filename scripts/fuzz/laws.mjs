// What targets share: seeds from the test vectors, and laws that hold of all that reads octets.
import { readdirSync, readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';

const VECTORS = new URL('../../test-vectors/', import.meta.url);

export const octetsOf = (text) => new Uint8Array(Buffer.from(text, 'latin1'));
export const textOf = (octets) => Buffer.from(octets).toString('latin1');

/** Text that a vector gives as one, or as parts of which some are repeated; not too often for a seed. */
const joined = (text) =>
  typeof text === 'string'
    ? text
    : text.map((part) => (typeof part === 'string' ? part : part.repeat.repeat(Math.min(part.times, 20)))).join('');

/** The texts of the steps of this name, transcript by transcript. */
export function spoken(folder, step, wanted = () => true) {
  const files = readdirSync(new URL(folder, VECTORS)).map((name) =>
    JSON.parse(readFileSync(new URL(`${folder}/${name}`, VECTORS), 'utf8')),
  );
  const all = files.flatMap(({ transcripts }) => transcripts).filter(wanted);
  return all.map(({ steps }) => octetsOf(steps.map((one) => (one[step] === undefined ? '' : joined(one[step]))).join('')));
}

/** Every text under one of these names in a file of vectors. */
export function texts(file, ...names) {
  const found = new Set();
  const look = (value) => {
    if (typeof value !== 'object' || value === null) return;
    for (const [name, one] of Object.entries(value)) {
      if (
        names.includes(name) &&
        (typeof one === 'string' || (Array.isArray(one) && one.every((part) => typeof part === 'string' || part.repeat)))
      )
        found.add(joined(one));
      look(one);
    }
  };
  look(JSON.parse(readFileSync(new URL(file, VECTORS), 'utf8')));
  return [...found].map(octetsOf);
}

export function demand(holds, ...what) {
  if (!holds) throw new Error(what.map((one) => (typeof one === 'string' ? one : JSON.stringify(one))).join(' '));
}

export function same(one, other, what) {
  demand(isDeepStrictEqual(one, other), what, ': ', shown(one), ' is not ', shown(other));
}

function shown(value) {
  return JSON.stringify(value, (_, one) =>
    one instanceof Uint8Array ? textOf(one) : one instanceof Map || one instanceof Set ? [...one] : one,
  )?.slice(0, 2000);
}

/** A reader that is fed whole, octet by octet, and in pieces that the input itself chooses, must say the same. */
export function anyChunking(octets, read) {
  const whole = read([octets]);
  const single = Array.from(octets, (octet) => new Uint8Array([octet]));
  same(read(single), whole, 'octet by octet');
  const pieces = [];
  for (let at = 0, step = 1; at < octets.length; at += step) {
    step = 1 + (octets[at] % 37);
    pieces.push(octets.slice(at, at + step));
  }
  same(read(pieces), whole, 'in pieces');
  return whole;
}

/** What is read, written and read again is the same. */
export function roundTrip(parse, format, octets, what) {
  const parsed = parse(octets);
  if (parsed === null || !parsed.ok) return;
  const again = parse(format(parsed.value));
  demand(again?.ok === true, `${what} writes what it can't read`, textOf(octets));
  same(again.value, parsed.value, `${what} changes what it reads`);
}
