// What is known of a message: fields, the way it went, the tree of its parts.
import { api } from './api.js';
import { h, longTime, sizeOf, span } from './dom.js';

/** The fields of a header, each with what it means and what is odd about it. */
export function headers({ content, deviations, refused, valid }) {
  const notes = [...(refused ? [refused] : []), ...deviations.map(({ what }) => what), ...content.problems.map(({ message }) => message)];
  return h(
    'div',
    {},
    h(
      'p',
      { class: valid ? 'good' : 'bad' },
      valid ? 'Every field can be read, and is there as often as it has to be.' : 'Not all of it is as it has to be.',
    ),
    notes.length === 0
      ? null
      : h(
          'ul',
          { class: 'odd-list' },
          notes.map((note) => h('li', {}, note)),
        ),
    h(
      'table',
      { class: 'fields' },
      h('caption', { class: 'hidden' }, 'Fields of the header'),
      h('colgroup', {}, h('col', { class: 'name' }), h('col')),
      h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, 'Field'), h('th', { scope: 'col' }, 'Value and meaning'))),
      h('tbody', {}, content.fields.map(field)),
    ),
    content.cut ? h('p', { class: 'faint' }, 'More fields were left out.') : null,
  );
}

function field({ name, value, says, meaning, standard, failure, deviations }) {
  return h(
    'tr',
    {},
    h('th', { scope: 'row' }, name),
    h(
      'td',
      {},
      h('p', { class: 'value' }, value.trim()),
      says && says !== value.trim() ? h('p', { class: 'says' }, says) : null,
      meaning || standard ? h('p', { class: 'faint' }, [meaning, standard].filter(Boolean).join(' · ')) : null,
      failure ? h('p', { class: 'bad' }, `${failure.message} (${failure.section})`) : null,
      deviations.map(({ what, danger }) => h('p', { class: 'odd-note' }, danger ? `${what}: ${danger}` : what)),
    ),
  );
}

/** Hop by hop, the first host first, with its delay as a bar. */
export function trace({ trace: { hops, duration, loop } }) {
  if (hops.length === 0) return h('p', { class: 'faint' }, 'It has no Received field: nobody tells which way it went.');
  const longest = Math.max(1, ...hops.map(({ delay }) => Math.abs(delay ?? 0)));
  return h(
    'div',
    {},
    h(
      'p',
      { class: 'faint' },
      `${hops.length} ${hops.length === 1 ? 'hop' : 'hops'}${duration === null ? '' : `, ${span(duration)} from the first to the last`}`,
    ),
    loop ? h('p', { class: 'bad' }, 'More hops than any way has: it goes round in circles (RFC 5321 6.3).') : null,
    h(
      'ol',
      { class: 'hops' },
      hops.map((hop) => {
        const bar = h('span', { class: `bar${hop.delay < 0 ? ' back' : ''}` });
        bar.style.width = `${hop.delay === null ? 0 : Math.max(2, (Math.abs(hop.delay) / longest) * 100)}%`;
        const from = [hop.from, hop.host && hop.host !== hop.from ? hop.host : null, hop.address].filter(Boolean).join(' ');
        return h(
          'li',
          {},
          h('p', { class: 'by' }, hop.by ?? 'an unknown host', hop.protocol ? h('span', { class: 'tag' }, hop.protocol) : null),
          h(
            'p',
            { class: 'faint' },
            from === '' ? '' : `from ${from}`,
            hop.id ? ` · id ${hop.id}` : '',
            hop.recipient ? ` · for ${hop.recipient}` : '',
          ),
          h(
            'p',
            { class: 'delay' },
            h('span', { class: 'track', 'aria-hidden': 'true' }, bar),
            h('span', {}, hop.delay === null ? 'first that has a time' : `${span(hop.delay)}${hop.delay < 0 ? ' (clocks disagree)' : ''}`),
          ),
          h('p', { class: 'faint' }, hop.date === null ? 'no date' : longTime(Date.parse(hop.date))),
          hop.deviations.map(({ what }) => h('p', { class: 'odd-note' }, what)),
        );
      }),
    ),
  );
}

/** The tree of parts; each that has content can be had as a file. */
export function tree({ content }, mail) {
  let number = 0;
  const node = (part, kept) => {
    // A message within is one part of what holds it, and has parts of its own.
    const leaf = part.parts.length === 0 || part.type === 'message/rfc822';
    const own = kept && leaf ? number++ : null;
    const facts = [
      part.filename,
      part.disposition,
      part.encoding !== '7bit' ? part.encoding : null,
      part.octets === null ? null : sizeOf(part.octets),
    ];
    return h(
      'li',
      {},
      h(
        'p',
        {},
        h('code', {}, part.type),
        h('span', { class: 'faint' }, ` ${facts.filter(Boolean).join(' · ')}`),
        own !== null && mail.parts[own] ? h('a', { class: 'get', href: api.partPath(mail.id, own), download: '' }, 'Download') : null,
      ),
      part.parts.length === 0
        ? null
        : h(
            'ul',
            {},
            part.parts.map((one) => node(one, kept && own === null)),
          ),
    );
  };
  return h(
    'div',
    {},
    h('ul', { class: 'tree' }, node(content, true)),
    mail.files.length === 0
      ? null
      : h(
          'div',
          {},
          h('h3', {}, 'Attachments'),
          h(
            'ul',
            { class: 'files' },
            mail.files.map(({ part, filename, type, octets }) =>
              h(
                'li',
                {},
                h('a', { href: api.partPath(mail.id, part), download: '' }, filename ?? `part ${part}`),
                h('span', { class: 'faint' }, ` ${type} · ${sizeOf(octets)}`),
              ),
            ),
          ),
        ),
  );
}
