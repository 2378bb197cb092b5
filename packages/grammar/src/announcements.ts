import { dateTime } from './codecs.ts';

/** What follows a keyword in the answer to EHLO, read and written. */
export interface Announcement<T = unknown> {
  /** The typed value; undefined if the parameters are none of this keyword. */
  parse(parameters: readonly string[]): T | undefined;
  format(value: T): readonly string[];
}

/** A keyword without parameters. */
export const bare: Announcement<true> = { parse: (parameters) => (parameters.length === 0 ? true : undefined), format: () => [] };

/** One parameter or none, which is null. */
function optional(pattern: RegExp): Announcement<string | null> {
  return {
    parse: ([first, ...more]) => (more.length > 0 ? undefined : first === undefined ? null : pattern.test(first) ? first : undefined),
    format: (value) => (value === null ? [] : [value]),
  };
}

/** RFC 1870 3: the largest message in octets; 0 for no fixed limit, null where none is declared. Beyond 2^53 - 1 it counts as that. */
export const largest: Announcement<number | null> = {
  parse([first, ...more]) {
    if (first === undefined) return null;
    return more.length === 0 && /^[0-9]+$/.test(first) ? Math.min(Number(first), Number.MAX_SAFE_INTEGER) : undefined;
  },
  format: (value) => (value === null ? [] : [String(value)]),
};

/** RFC 4954 3: names of SASL mechanisms, in capitals. */
export const mechanisms: Announcement<readonly string[]> = {
  parse: (parameters) =>
    parameters.every((name) => /^[\w-]{1,20}$/.test(name)) ? parameters.map((name) => name.toUpperCase()) : undefined,
  format: (names) => names,
};

/** RFC 2852 2: the least seconds that a server can keep, and tokens of later extensions. */
export const leastBy: Announcement<string | null> = /* @__PURE__ */ optional(/^(?:[0-9]{1,9}(?:,[!-+\--~]+)*|(?:,[!-+\--~]+)+)$/);

/** RFC 6710 7: the name of a priority profile. */
export const profile: Announcement<string | null> = /* @__PURE__ */ optional(/^[A-Za-z0-9._-]{1,20}$/);

/** RFC 4865 3: how far ahead a message may be held, in seconds and as a date. */
export interface FutureRelease {
  readonly seconds: number;
  readonly until: string;
}

export const futureRelease: Announcement<FutureRelease> = {
  parse([seconds = '', date = '', ...more]) {
    const until = dateTime(date);
    if (more.length > 0 || !/^[1-9][0-9]{0,8}$/.test(seconds) || until === undefined) return undefined;
    return { seconds: Number(seconds), until };
  },
  format: ({ seconds, until }) => [String(seconds), until],
};

/** RFC 9422 3: limits by their names, in capitals; the value is empty where there is none. */
export const limits: Announcement<ReadonlyMap<string, string>> = {
  parse(parameters) {
    const found = parameters.map((parameter) => /^([\w-]+)(?:=([!-:<-~]+))?$/.exec(parameter));
    if (found.length === 0 || found.some((match) => match === null)) return undefined;
    return new Map(found.map((match) => [match![1]!.toUpperCase(), match![2] ?? '']));
  },
  format: (values) => [...values].map(([name, value]) => (value === '' ? name : `${name}=${value}`)),
};
