// Elements, and words for numbers. Texts become text nodes: nothing of a mail is ever taken for HTML here.

/** An element: attributes by name, `on…` listeners, `class`, and properties where the name begins with a dot. */
export function h(tag, given = {}, ...children) {
  return fill(document.createElement(tag), given, children);
}

/** The same in SVG. */
export function s(tag, given = {}, ...children) {
  return fill(document.createElementNS('http://www.w3.org/2000/svg', tag), given, children);
}

function fill(element, given, children) {
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (name.startsWith('.')) element[name.slice(1)] = value;
    else element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** A text of others on one line, in its own order: what is not printed, or turns the direction of a line, is escaped. */
export function inert(text) {
  return h(
    'bdi',
    {},
    text.replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, (one) => `\\u{${one.codePointAt(0).toString(16)}}`),
  );
}

/** Octets for people. */
export function sizeOf(octets) {
  if (octets < 1000) return `${octets} B`;
  if (octets < 1_000_000) return `${(octets / 1000).toFixed(octets < 10_000 ? 1 : 0)} kB`;
  return `${(octets / 1_000_000).toFixed(1)} MB`;
}

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const day = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });
const whole = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });

/** A time in a list: the hour of today, else the day. */
export function shortTime(at) {
  const date = new Date(at);
  return date.toDateString() === new Date().toDateString() ? clock.format(date) : day.format(date);
}

export function longTime(at) {
  return whole.format(new Date(at));
}

/** To the millisecond, for a conversation. */
export function exactTime(at) {
  const date = new Date(at);
  const two = (number) => String(number).padStart(2, '0');
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${String(date.getMilliseconds()).padStart(3, '0')}`;
}

/** A span of time, from milliseconds. */
export function span(milliseconds) {
  const sign = milliseconds < 0 ? '−' : '';
  const all = Math.abs(milliseconds);
  if (all < 1000) return `${sign}${all} ms`;
  const seconds = Math.round(all / 1000);
  if (seconds < 60) return `${sign}${seconds} s`;
  if (seconds < 3600) return `${sign}${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  if (seconds < 86_400) return `${sign}${Math.floor(seconds / 3600)} h ${Math.floor(seconds / 60) % 60} min`;
  return `${sign}${Math.floor(seconds / 86_400)} d ${Math.floor(seconds / 3600) % 24} h`;
}

/** Who it is, in a word. */
export function who(people, otherwise = '') {
  const [first, ...others] = people;
  if (first === undefined) return otherwise;
  return `${first.name || first.address}${others.length > 0 ? ` and ${others.length} more` : ''}`;
}

/** Told to who listens to the page. */
export function say(text) {
  document.getElementById('said').textContent = text;
}
