// The page: which view is open, what is live, and the keys.
import { api, listen } from './api.js';
import { h, say, shortTime, who } from './dom.js';
import { mailView } from './mail.js';
import { queueView } from './queue.js';
import { Rows } from './rows.js';
import { sessionsView } from './sessions.js';
import { stubsView } from './stubs.js';

const main = document.getElementById('main');
const byId = (id) => document.getElementById(id);

let info = await api.info();
byId('queue-link').hidden = !info.queue;
let query = '';
/** What is open: `update(changed)` is called when something has happened. */
let view = null;
let mail = null;

// Mails: a list that stays, and one of them beside it.
const search = h('input', {
  type: 'search',
  placeholder: 'Search',
  'aria-label': 'Search mails',
  'aria-keyshortcuts': '/',
  oninput: () => later(() => found(search.value)),
});
const wipe = h('button', { type: 'button', class: 'plain', onclick: () => void removeAll() }, 'Delete all');
const empty = h('div', { class: 'empty' });
const detail = h('section', { class: 'detail', 'aria-label': 'Mail' });
const list = new Rows({
  label: 'Mails, the newest first',
  height: 72,
  fetch: async (start, limit) => {
    const { total, unread, mails } = await api.mails(query, start, limit);
    info.unread = unread;
    return { total, rows: mails };
  },
  show: rowOf,
  open: (row) => {
    location.hash = `#/mails/${encodeURIComponent(row.id)}`;
  },
  counted: (total) => {
    byId('count-mails').textContent = info.unread > 0 ? String(info.unread) : '';
    byId('count-mails').setAttribute('aria-label', `${info.unread} unread`);
    document.title = info.unread > 0 ? `(${info.unread}) ehlo` : 'ehlo';
    wipe.textContent = query === '' ? 'Delete all' : `Delete ${total} found`;
    wipe.hidden = total === 0;
    list.element.hidden = total === 0;
    empty.hidden = total > 0;
    mails.classList.toggle('is-empty', total === 0 && query === '');
    if (total === 0) empty.replaceChildren(...(query === '' ? firstMail() : [h('p', {}, `No mail with “${query}”.`)]));
  },
});
const mails = h(
  'div',
  { class: 'split' },
  h('section', { class: 'side', 'aria-label': 'Mails' }, h('div', { class: 'search', role: 'search' }, search, wipe), list.element, empty),
  detail,
);

function rowOf({ subject, from, to, received, read, snippet, attachments, reversePath, forwardPaths }) {
  const sender = who(from, reversePath || 'no sender');
  const target = forwardPaths.length > 0 ? forwardPaths.join(', ') : who(to, '');
  return [
    h(
      'span',
      { class: 'line' },
      h('span', { class: 'dot-unread' }, read ? '' : h('span', { class: 'hidden' }, 'unread, ')),
      h('span', { class: read ? 'from' : 'from unread' }, sender),
      h('span', { class: 'to faint' }, target && `→ ${target}`),
      h('time', { datetime: new Date(received).toISOString() }, shortTime(received)),
    ),
    h(
      'span',
      { class: read ? 'subject' : 'subject unread' },
      subject || '(no subject)',
      attachments > 0 ? h('span', { class: 'clip', title: 'with files' }, ' ⊕') : null,
    ),
    h('span', { class: 'snippet faint' }, snippet),
  ];
}

/** How the first mail is sent. */
function firstMail() {
  const at = info.listening[0] ?? '127.0.0.1:2525';
  const where = at.replace(/ \(TLS\)$/, '');
  const command = `printf 'Subject: hello\\n\\nIt works.\\n' | npx ehlo send --server ${where} \\\n  --from ann@example.org --to bob@example.org`;
  const copy = h(
    'button',
    { type: 'button', onclick: () => void navigator.clipboard?.writeText(command).then(() => say('Copied')) },
    'Copy',
  );
  return [
    h('h2', {}, 'No mail yet'),
    h('p', {}, 'Every mail that is sent to ', h('code', {}, where), ' appears here the moment it comes.'),
    h('pre', { class: 'command' }, command),
    h('p', {}, copy),
    h('p', { class: 'faint' }, 'Or give your program ', h('code', {}, `smtp://${where}`), ' as its mail server.'),
  ];
}

async function found(text) {
  query = text.trim();
  await list.restart();
}

async function removeAll() {
  const what = query === '' ? 'all mails' : `the ${list.total} mails that were found`;
  if (!confirm(`Delete ${what}? Their files are removed.`)) return;
  const { deleted } = await api.removeAll(query);
  say(`${deleted} deleted`);
  location.hash = '#/mails';
  await list.refresh();
}

async function openMail(id) {
  const at = list.place;
  list.chosen = id;
  list.draw();
  mails.classList.add('has-detail');
  try {
    const opened = await mailView(id, {
      info,
      marked: () => void list.refresh(),
      gone: () => {
        void list
          .refresh()
          .then(() =>
            wide() && list.total > 0 ? list.choose(Math.max(0, Math.min(at < 0 ? list.place : at, list.total - 1)), false) : closeMail(),
          );
      },
    });
    if (list.chosen !== id) return;
    mail = opened;
    detail.replaceChildren(h('a', { class: 'back', href: '#/mails' }, '‹ Mails'), mail.element);
    if (!wide()) byId('subject').focus();
  } catch (error) {
    if (list.chosen !== id) return;
    mail = null;
    detail.replaceChildren(h('a', { class: 'back', href: '#/mails' }, '‹ Mails'), h('p', { class: 'bad center' }, error.message));
  }
}

function closeMail() {
  mail = null;
  list.chosen = null;
  if (location.hash !== '#/mails') history.replaceState(null, '', '#/mails');
  mails.classList.remove('has-detail');
  detail.replaceChildren(h('p', { class: 'faint center' }, 'Choose a mail.'));
  list.draw();
}

const wide = () => matchMedia('(min-width: 900px)').matches;

// Which view is open is said by the address.
async function route() {
  const [, name = 'mails', id = null] = location.hash.split('/').map(decodeURIComponent);
  for (const link of document.querySelectorAll('nav a')) {
    if (link.dataset.view === name) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  if (name === 'sessions') return openLater(sessionsView(id === null ? null : Number(id)));
  if (name === 'stubs') return openLater(stubsView());
  if (name === 'queue' && info.queue) return openLater(queueView(id));
  open({ element: mails, update: () => {} });
  if (id === null) closeMail();
  else if (mail?.id !== id) await openMail(id);
}

/** A view that is being made is not opened when the address says another by then. */
async function openLater(making) {
  const { hash } = location;
  const made = await making;
  if (location.hash === hash) open(made);
}

function open(opened) {
  view = opened;
  if (main.firstChild !== opened.element) main.replaceChildren(opened.element);
  if (opened.element === mails) list.draw();
}

/** Does a thing once, when nothing of the kind has come for a moment. */
let waiting = null;
function later(what) {
  clearTimeout(waiting);
  waiting = setTimeout(what, 120);
}

let soon = null;
function refreshSoon() {
  if (soon !== null) return;
  soon = setTimeout(() => {
    soon = null;
    void list.refresh();
  }, 60);
}

async function counts() {
  const [{ sessions }, { stubs }] = await Promise.all([api.sessions(), api.stubs()]);
  const open = sessions.filter(({ closed }) => closed === null).length;
  byId('count-sessions').textContent = open > 0 ? String(open) : '';
  byId('count-stubs').textContent = stubs.length > 0 ? String(stubs.length) : '';
}

listen({
  mail: (one) => {
    say(`Mail from ${who(one.from, one.reversePath ?? '')}: ${one.subject}`);
    refreshSoon();
  },
  change: ({ mails, stubs, sessions }) => {
    if (mails) refreshSoon();
    if (stubs || sessions.length > 0) void counts();
    if (view?.element !== mails && (stubs || sessions.length > 0)) void view?.update(sessions);
    if (mail !== null && sessions.includes(mail.session)) void mail.update();
  },
  live: async (is) => {
    byId('where').classList.toggle('away', !is);
    byId('where').textContent = is ? info.listening.join(', ') : 'no connection to the server';
    if (!is) return;
    info = await api.info();
    byId('where').textContent = info.listening.join(', ');
    await Promise.all([list.refresh(), counts(), view?.update()]);
  },
});

// Keys.
const help = byId('help');
byId('help-open').addEventListener('click', () => help.showModal());

let went = false;
const GO = { m: '#/mails', s: '#/sessions', t: '#/stubs', ...(info.queue ? { q: '#/queue' } : {}) };
const KEYS = {
  j: () => list.step(1),
  k: () => list.step(-1),
  ArrowDown: () => list.step(1),
  ArrowUp: () => list.step(-1),
  Enter: () => mail !== null && byId('subject').focus(),
  Escape: () => {
    location.hash = location.hash.split('/').slice(0, 2).join('/');
    list.list.focus();
  },
  '/': () => {
    // On a narrow screen the list is where the mail is.
    if (view?.element !== mails || !wide()) location.hash = '#/mails';
    search.focus();
    search.select();
  },
  u: () => void mail?.toggle(),
  Delete: () => void mail?.remove(),
  '?': () => help.showModal(),
  g: () => {
    went = true;
    setTimeout(() => {
      went = false;
    }, 1500);
  },
};

document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || help.open) return;
  const { target, key } = event;
  if (target.matches('input, textarea, select')) {
    if (key === 'Escape') {
      if (target === search) {
        search.value = '';
        void found('');
      }
      target.blur();
      list.list.focus();
    }
    if (key === 'Enter' && target === search) list.list.focus();
    return;
  }
  if (went && GO[key] !== undefined) {
    went = false;
    location.hash = GO[key];
    return event.preventDefault();
  }
  // Arrows scroll what they are in, and Enter is what a button is pressed by.
  if (key.startsWith('Arrow') && target !== list.list && target !== document.body) return;
  if (key === 'Enter' && target !== list.list && target !== document.body) return;
  if (/^[1-7]$/.test(key) && mail !== null) return mail.view(Number(key) - 1);
  const act = KEYS[key];
  if (act === undefined || (view?.element !== mails && ['j', 'k', 'ArrowDown', 'ArrowUp', 'u', 'Delete', 'Enter'].includes(key))) return;
  event.preventDefault();
  act();
});

// Colours: as the system has them, light, dark.
const THEMES = { '': 'as the system has them', light: 'light', dark: 'dark' };
function theme(name) {
  document.documentElement.dataset.theme = name;
  byId('theme').setAttribute('aria-label', `Colours: ${THEMES[name]}`);
  localStorage.setItem('theme', name);
}
theme(localStorage.getItem('theme') ?? '');
byId('theme').addEventListener('click', () => {
  const names = Object.keys(THEMES);
  theme(names[(names.indexOf(document.documentElement.dataset.theme) + 1) % names.length]);
});

addEventListener('hashchange', () => void route());
await route();
