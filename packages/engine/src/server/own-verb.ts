// Commands of verbs that the program has defined.
import { type Deviation, decodeUtf8, encodeUtf8, esmtpKeyword, latin1, type Parsed } from '@ehlo/grammar';
import type { OwnCommand } from './change.ts';
import type { Machine } from './machine.ts';
import type { OwnVerb } from './options.ts';

/** The verb of an extension of the program that the line begins with; null if it begins with another. */
export function ownVerbOf({ input: { bytes, from, to }, policy: { verbs } }: Machine): OwnVerb | null {
  if (verbs.size === 0) return null;
  const end = esmtpKeyword(bytes, from, to);
  return end < 0 ? null : (verbs.get(latin1(bytes, from, end).toUpperCase()) ?? null);
}

const SP = 0x20;
const HT = 0x09;

/** Reads `verb [SP argument]`: as in other commands, white space before the CRLF (RFC 5321 4.1.1) and extra spaces are taken. */
export function parseOwnCommand({ input: { bytes, from, to }, dialect }: Machine, own: OwnVerb): Parsed<OwnCommand> {
  const { tolerate, utf8 } = dialect;
  const behind = from + own.verb.length;
  let last = to;
  while (last > behind && (bytes[last - 1] === SP || bytes[last - 1] === HT)) last--;
  let first = behind;
  while (first < last && bytes[first] === SP) first++;
  const argument = decodeUtf8(bytes, first, last);
  const deviations: Deviation[] = [];
  if (first > behind + 1) deviations.push('extra-space');
  if (last < to) deviations.push('trailing-white-space');
  const isApart = first > behind || first === last;
  // Octets that are not UTF-8 would not be the same when the text is written again.
  const isText = (utf8 ? UTF8_TEXT : ASCII_TEXT).test(argument) && encodeUtf8(argument).every((octet, i) => octet === bytes[first + i]);
  if (isApart && isText && deviations.every((name) => tolerate.has(name))) return { ok: true, value: { ...own, argument }, deviations };
  const message = `the form is ${own.verb} and, behind one space, ${utf8 ? 'text' : 'printable ASCII'}`;
  return { ok: false, code: 'syntax', rule: own.verb, section: own.extension.spec, offset: own.verb.length, message };
}

const ASCII_TEXT = /^[ -~]*$/;
const UTF8_TEXT = /^[^\p{Cc}\p{Cs}\ufffd]*$/u;
