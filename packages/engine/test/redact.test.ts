// What of a peer's words may be shown: no controls, no more than so much, and nothing that holds a secret.
import { encodeUtf8, latin1 } from '@ehlo/grammar';
import { describe, expect, test } from 'vitest';
import { showText } from '../src/escape.ts';
import { holdsAny, needlesOf } from '../src/needle.ts';
import { Redactor } from '../src/redact.ts';

describe('a text', () => {
  const codes = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i);

  test.each([
    ['C0', codes(0, 0x1f)],
    ['DEL and C1', codes(0x7f, 0x9f)],
    ['marks of direction', [0x061c, 0x200e, 0x200f]],
    ['embeddings and overrides', codes(0x202a, 0x202e)],
    ['isolates', codes(0x2066, 0x2069)],
    ['what is not seen, and separators of lines', [0x00ad, 0x200b, 0xfeff, 0x2028, 0x2029]],
    ['half a pair', [0xd800, 0xdfff]],
  ])('shows no %s', (_, all) => {
    for (const code of all) {
      const digits = code.toString(16);
      expect(showText(`a${String.fromCharCode(code)}b`)).toBe(code < 0x100 ? `a\\x${digits.padStart(2, '0')}b` : `a\\u{${digits}}b`);
    }
  });

  test('shows what is printed, and its own escapes as they are', () => {
    const text = 'Grüße, 用户 \u{1f600} \\x1b';
    expect(showText(text)).toBe(text);
    expect(showText(showText('\x9b'))).toBe('\\x9b');
  });

  test.each([
    ['a', 1000, 1001],
    ['\x1b', 250, 251],
  ])('%j: no more than a thousand characters are shown, escapes included', (character, most, more) => {
    expect(showText(character.repeat(most))).not.toMatch(/…$/);
    expect(showText(character.repeat(more))).toMatch(/^.{1000}…$/);
    expect(showText(character.repeat(1_000_000))).toMatch(/^.{1000}…$/);
  });

  test('or no more than is said', () => expect(showText('abc', 2)).toBe('ab…'));
});

describe('a redactor', () => {
  const octets = (text: string): string => latin1(encodeUtf8(text), 0, encodeUtf8(text).length);
  const told = (secrets: readonly string[] | undefined, names: readonly string[] = [], response?: string): Redactor => {
    const redactor = new Redactor();
    redactor.begin({ names, ...(secrets === undefined ? {} : { secrets }) });
    if (response !== undefined) redactor.say(encodeUtf8(response));
    return redactor;
  };

  test('is idle until an exchange begins', () => {
    const redactor = new Redactor();
    expect([redactor.active, redactor.withholds(['anything'])]).toEqual([false, false]);
    redactor.begin({});
    expect(redactor.active).toBe(true);
    redactor.end();
    expect(redactor.active).toBe(false);
  });

  test.each([7, 8])('%i octets: from eight on a secret is looked for', (length) => {
    const secret = 'x#7Q!w+9'.slice(0, length);
    const redactor = told([secret]);
    expect(redactor.withholds(['nothing of it'])).toBe(length < 8);
    redactor.end();
    expect(redactor.withholds([`it is ${secret}`])).toBe(length >= 8);
    expect(redactor.withholds(['nothing of it'])).toBe(false);
  });

  test.each<readonly [string, (character: string) => string]>([
    [
      'JSON',
      (character) =>
        [...character]
          .map((one) => [...Array(one.length).keys()].map((i) => `\\u${one.charCodeAt(i).toString(16).padStart(4, '0')}`).join(''))
          .join(''),
    ],
    ['HTML', (character) => `&#x${character.codePointAt(0)!.toString(16)};`],
    ['HTML, decimal', (character) => `&#${character.codePointAt(0)};`],
    ['octal, as in C', (character) => [...encodeUtf8(character)].map((octet) => `\\${octet.toString(8).padStart(3, '0')}`).join('')],
  ])('a secret is found by the numbers of its characters: %s', (_, written) => {
    for (const secret of ['correct horse', 'tröllpass', '\u{1f600}\u{1f600}x', 'ÄÖÜÄÖÜ']) {
      const redactor = told([secret]);
      redactor.end();
      expect(redactor.withholds([`it is ${[...secret].map(written).join('')}`])).toBe(true);
      // What is written so, and means something else.
      expect(redactor.withholds([[...'nothing of it'].map(written).join('')])).toBe(false);
    }
    expect(told(['tröllpass']).withholds(['tr\\u00c3\\u00b6llpass'])).toBe(true);
    expect(told(['correct horse']).withholds(['&#9999999; &#x110000; \\ud800 \\777 &#xg;'])).toBe(false);
  });

  test('a reply is read in no other way where it lacks a character that a secret has in each of its forms, or is shorter', () => {
    const usual = ['2.1.0 Sender <ann@a.example> OK', '2.0.0 Ok: queued as 4fQ2wS0xZ1z9', 'End data with <CR><LF>.<CR><LF>', 'a=b & 10%'];
    let read = 0;
    const held = (secret: string, line: string): boolean =>
      holdsAny(needlesOf(secret), [line], (lines) => {
        read++;
        return lines;
      });
    for (const secret of ['correct horse battery', 'x#7Q!w+9', 'ya29.'.repeat(300)]) {
      for (const line of usual.slice(0, 3)) expect(held(secret, line)).toBe(false);
    }
    expect(read).toBe(0);
    // What marks of numbers may stand for is read, if it may be as long.
    expect([held('x#7Q!w+9', usual[3]!), read, held('ya29.'.repeat(300), usual[3]!), read]).toEqual([false, 1, false, 1]);
    // All characters of it, in another order.
    expect([held('abcdefgh', 'hgfedcba'), held('abcdefgh', 'x ABCDEFGH'), read]).toEqual([false, true, 3]);
  });

  test('eight octets, not characters', () => {
    const redactor = told(['ü€用']);
    redactor.end();
    expect(redactor.withholds([octets('it is ü€用')])).toBe(true);
  });

  test('a name is none, in the exchange and behind it; a secret that has never been said is one', () => {
    const redactor = told(['correct horse'], ['joe@example.net'], '\0joe@example.net\0something else');
    expect(redactor.withholds(['joe@example.net'])).toBe(false);
    expect(redactor.withholds(['correct horse'])).toBe(true);
    expect(redactor.withholds(['something else'])).toBe(true);
  });

  test('where nobody says what is secret all words of a response are', () => {
    const bearer = 'user=joe@example.net\x01auth=Bearer ya29.token\x01\x01';
    const redactor = told(undefined, [], bearer);
    redactor.end();
    for (const text of ['ya29.token', 'user=joe@example.net', 'auth=Bearer ya29.token']) expect(redactor.withholds([text])).toBe(true);
    expect(redactor.withholds(['joe@example.net'])).toBe(false);
  });

  test('secrets of an exchange that failed are those of the session', () => {
    const redactor = told(['the first one']);
    redactor.end();
    redactor.begin({ secrets: ['the second'] });
    redactor.end();
    expect(['the first one', 'the second', 'a third one'].map((text) => redactor.withholds([text]))).toEqual([true, true, false]);
  });

  test('a secret that looks like an enhanced code is not shown as one', () => {
    const redactor = told(['5.123.456']);
    redactor.end();
    const reply = { code: 550, enhanced: '5.123.456', lines: ['no'] };
    const withheld = redactor.withholds(['5.123.456 no']);
    expect([withheld, redactor.reply(reply)]).toEqual([true, { code: 550, lines: ['***'] }]);
    expect(redactor.line('550 ', '5.123.456 no')).toBe('550 ***');
    expect(redactor.line('550 ', '5.1.1 5.123.456')).toBe('550 5.1.1 ***');
  });
});
