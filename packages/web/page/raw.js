// The octets of a message, with those that are not seen elsewhere made visible.
import { h, sizeOf } from './dom.js';

/** Octets that are fetched and shown: the rest is for a file. */
const MOST = 200_000;

export async function raw(path, size) {
  const octets = await beginning(path);
  const pre = h('div', { class: 'raw', tabindex: 0, role: 'region', 'aria-label': 'Octets of the message' });
  let at = 0;
  for (let number = 1; at < octets.length; number++) {
    const end = endOfLine(octets, at);
    pre.append(lineOf(octets.subarray(at, end), number));
    at = end;
  }
  const legend = h(
    'p',
    { class: 'legend faint' },
    h('b', { class: 'end' }, '\\r\\n'),
    ' end of line  ',
    h('b', { class: 'odd' }, '\\n'),
    ' alone  ',
    h('b', { class: 'dot' }, '.'),
    ' dot that begins a line  ',
    h('b', { class: 'eight' }, 'é'),
    ' beyond 7 bits',
  );
  const cut = size > octets.length ? h('p', { class: 'faint' }, `The first ${sizeOf(octets.length)} of ${sizeOf(size)}.`) : null;
  return h('div', {}, legend, pre, cut);
}

async function beginning(path) {
  const response = await fetch(path);
  if (!response.ok) throw new Error(response.statusText);
  const reader = response.body.getReader();
  const parts = [];
  let length = 0;
  while (length < MOST) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value.subarray(0, MOST - length));
    length += parts.at(-1).length;
  }
  await reader.cancel();
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function endOfLine(octets, from) {
  // A line without an end is shown in pieces, as long as a line may be.
  const limit = Math.min(octets.length, from + 2000);
  for (let i = from; i < limit; i++) if (octets[i] === 10) return i + 1;
  return limit;
}

function lineOf(octets, number) {
  const line = h('div', { class: 'octets' }, h('span', { class: 'number' }, String(number)));
  const content = h('span', { class: 'content' });
  line.append(content);
  let plain = '';
  const flush = () => {
    if (plain !== '') content.append(plain);
    plain = '';
  };
  const mark = (text, kind, title) => {
    flush();
    content.append(h('b', { class: kind, title }, text));
  };
  for (let i = 0; i < octets.length; i++) {
    const octet = octets[i];
    if (octet === 13 && octets[i + 1] === 10) {
      mark('\\r\\n', 'end');
      i++;
    } else if (octet === 10) mark('\\n', 'odd', 'LF alone');
    else if (octet === 13) mark('\\r', 'odd', 'CR alone');
    else if (octet === 46 && i === 0) mark('.', 'dot', 'doubled on the wire');
    else if (octet === 9) mark('⇥', 'end', 'tab');
    else if (octet < 32 || octet === 127) mark(`\\x${hex(octet)}`, 'odd', 'control character');
    else if (octet < 128) plain += String.fromCharCode(octet);
    else {
      const length = octet >= 0xf0 ? 4 : octet >= 0xe0 ? 3 : octet >= 0xc2 ? 2 : 1;
      const some = octets.subarray(i, i + length);
      const text = new TextDecoder().decode(some);
      const whole = length > 1 && !text.includes('�') && !/[\p{C}]/u.test(text);
      const shown = Array.from(whole ? some : some.subarray(0, 1), hex);
      mark(whole ? text : `\\x${shown[0]}`, 'eight', shown.join(' '));
      if (whole) i += length - 1;
    }
  }
  flush();
  return line;
}

function hex(octet) {
  return octet.toString(16).padStart(2, '0');
}
