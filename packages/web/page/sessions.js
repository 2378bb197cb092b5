// Sessions: those that are open, and those that were.
import { api } from './api.js';
import { h, longTime, shortTime } from './dom.js';
import { talk } from './talk.js';

export async function sessionsView(chosen) {
  const list = h('ul', { class: 'sessions', 'aria-label': 'Sessions, the newest first' });
  const detail = h('section', { class: 'detail', 'aria-label': 'Session' });
  let open = null;
  const update = async (changed) => {
    const { sessions } = await api.sessions();
    list.replaceChildren(...sessions.map((one) => sessionOf(one, chosen)));
    if (sessions.length === 0) list.replaceChildren(h('li', { class: 'faint' }, 'Nobody has connected.'));
    if (open !== null && (changed === undefined || changed.includes(chosen))) head(await open.update());
    return sessions;
  };
  const title = h('h2', {});
  const facts = h('p', { class: 'faint' });
  const head = ({ id, peer, hello, tls, identity, phase, closed, cause, opened }) => {
    title.textContent = `Session ${id}`;
    const all = [
      peer || 'a Unix socket',
      hello && `as ${hello}`,
      tls,
      identity && `user ${identity}`,
      longTime(opened),
      closed === null ? `open, ${phase}` : `closed: ${cause}`,
    ];
    facts.textContent = all.filter(Boolean).join(' · ');
  };
  await update([]);
  if (chosen !== null) {
    try {
      open = await talk(chosen);
      head(open.session);
      detail.append(h('a', { class: 'back', href: '#/sessions' }, '‹ Sessions'), title, facts, open.element);
    } catch (error) {
      detail.append(h('p', { class: 'bad' }, error.message));
    }
  } else detail.append(h('p', { class: 'faint center' }, 'Choose a session to see what was said, beside the state machine that says why.'));
  return {
    element: h(
      'div',
      { class: `split ${chosen === null ? '' : 'has-detail'}` },
      h('section', { class: 'side', 'aria-label': 'Sessions' }, list),
      detail,
    ),
    update,
  };
}

function sessionOf({ id, peer, hello, phase, closed, cause, opened, mails, tls }, chosen) {
  return h(
    'li',
    {},
    h(
      'a',
      { href: `#/sessions/${id}`, 'aria-current': id === chosen ? 'true' : null, class: closed === null ? 'open' : '' },
      h('span', { class: 'line' }, h('strong', {}, hello ?? (peer || 'Unix socket')), h('time', {}, shortTime(opened))),
      h(
        'span',
        { class: 'faint' },
        [
          `${id}`,
          peer,
          tls,
          mails.length > 0 && `${mails.length} ${mails.length === 1 ? 'mail' : 'mails'}`,
          closed === null ? `open: ${phase}` : cause,
        ]
          .filter(Boolean)
          .join(' · '),
      ),
    ),
  );
}
