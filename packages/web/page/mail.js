// One mail, in the ways it can be looked at.
import { api } from './api.js';
import { h, longTime, say, sizeOf } from './dom.js';
import { headers, trace, tree } from './explained.js';
import { raw } from './raw.js';
import { talk } from './talk.js';

const VIEWS = {
  html: 'HTML',
  text: 'Text',
  headers: 'Headers',
  trace: 'Trace',
  parts: 'Parts',
  raw: 'Raw',
  talk: 'Conversation',
};

/** How HTML was looked at last. */
const look = { width: 'full', dark: false };

let preferred = null;

/** The view of a mail. `gone` is called when it was deleted; `info` says what the server allows. */
export async function mailView(id, { info, gone, marked }) {
  const mail = await api.mail(id);
  const open = Object.keys(VIEWS).filter((name) => name !== 'html' || mail.hasHtml);
  const panel = h('div', { class: 'panel', role: 'tabpanel', id: 'panel', tabindex: 0 });
  let live = null;
  const tabs = open.map((name) => tabOf(name, () => show(name)));
  const bar = h('div', { class: 'tabs', role: 'tablist', 'aria-label': 'How it is shown', onkeydown: (event) => along(event, tabs) }, tabs);

  async function show(name) {
    live = null;
    for (const tab of tabs) {
      const chosen = tab.dataset.view === name;
      tab.setAttribute('aria-selected', String(chosen));
      tab.tabIndex = chosen ? 0 : -1;
    }
    panel.setAttribute('aria-labelledby', `tab-${name}`);
    panel.setAttribute('aria-busy', 'true');
    panel.className = `panel is-${name}`;
    const shown = await panelOf(name, mail);
    // An answer that comes late is not for the tab that was chosen meanwhile.
    if (panel.getAttribute('aria-labelledby') !== `tab-${name}`) return;
    live = shown.update ?? null;
    panel.replaceChildren(shown.element ?? shown);
    panel.setAttribute('aria-busy', 'false');
  }

  async function remove() {
    await api.remove(id);
    say('Deleted');
    gone();
  }

  async function toggle() {
    mail.read = !mail.read;
    await api.mark(id, mail.read);
    marked(mail);
    read.textContent = mail.read ? 'Mark unread' : 'Mark read';
  }

  const read = h('button', { type: 'button', onclick: toggle }, mail.read ? 'Mark unread' : 'Mark read');
  const result = h('div', { class: 'released' });
  const element = h(
    'article',
    { class: 'mail', 'aria-labelledby': 'subject' },
    h(
      'header',
      {},
      h('h2', { id: 'subject', tabindex: -1 }, mail.subject || '(no subject)'),
      envelope(mail),
      actions(mail, { info, read, remove, result }),
      result,
    ),
    bar,
    panel,
  );
  if (!mail.read) {
    mail.read = true;
    read.textContent = 'Mark unread';
    void api.mark(id, true).then(() => marked(mail));
  }
  await show(open.includes(preferred) ? preferred : open[0]);
  return { id, element, remove, toggle, update: () => live?.(), session: mail.session, view: (i) => open[i] && prefer(open[i]) };

  function tabOf(name, onclick) {
    return h(
      'button',
      { type: 'button', role: 'tab', id: `tab-${name}`, 'data-view': name, 'aria-controls': 'panel', onclick: () => prefer(name, onclick) },
      VIEWS[name],
    );
  }

  function prefer(name) {
    preferred = name;
    void show(name);
  }
}

/** Arrows go along tabs. */
function along(event, tabs) {
  const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (by === undefined) return;
  const at = tabs.indexOf(document.activeElement);
  const next = tabs[(at + by + tabs.length) % tabs.length];
  next.focus();
  next.click();
  event.preventDefault();
}

function envelope({ from, to, cc, received, size, reversePath, forwardPaths, outcome }) {
  const people = (some) => some.map(({ name, address }) => (name ? `${name} <${address}>` : address)).join(', ');
  const sent = reversePath === null ? null : `<${reversePath}> → ${forwardPaths.map((path) => `<${path}>`).join(', ') || 'unknown'}`;
  const facts = [
    ['From', people(from)],
    ['To', people(to)],
    ['Cc', people(cc)],
    ['Envelope', sent],
    ['Outcome', outcome],
    ['Stored', `${longTime(received)} · ${sizeOf(size)}`],
  ].filter(([, value]) => value);
  return h(
    'dl',
    { class: 'envelope' },
    facts.map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value))),
  );
}

function actions(mail, { info, read, remove, result }) {
  return h(
    'div',
    { class: 'actions' },
    h('a', { class: 'button', href: api.rawPath(mail.id), download: '' }, 'Download .eml'),
    read,
    info.release === null ? null : h('button', { type: 'button', onclick: () => release(mail, result) }, `Release to ${info.release}`),
    h('button', { type: 'button', class: 'danger', onclick: remove, 'aria-keyshortcuts': 'Delete' }, 'Delete'),
  );
}

async function release({ id, forwardPaths }, result) {
  const to = h('input', { name: 'to', value: forwardPaths.join(', '), 'aria-label': 'Recipients', size: 40 });
  const told = h('ul', { role: 'status' });
  const send = async (event) => {
    event.preventDefault();
    told.replaceChildren(h('li', { class: 'faint' }, 'Sending…'));
    try {
      const { outcomes } = await api.release(id, to.value.split(/[\s,]+/).filter(Boolean));
      told.replaceChildren(
        ...outcomes.map(({ recipient, status, reply }) =>
          h('li', { class: status === 'accepted' ? 'good' : 'bad' }, `${recipient}: ${status}, ${reply}`),
        ),
      );
    } catch (error) {
      told.replaceChildren(h('li', { class: 'bad' }, error.message));
    }
  };
  result.replaceChildren(h('form', { onsubmit: send }, to, h('button', {}, 'Send')), told);
  to.focus();
}

const PANELS = {
  html: htmlPanel,
  text: ({ text, textCut, links }) =>
    h(
      'div',
      {},
      text === '' ? h('p', { class: 'faint' }, 'It has no plain text.') : h('pre', { class: 'text' }, text),
      textCut ? h('p', { class: 'faint' }, 'The rest is in the file.') : null,
      linksOf(links),
    ),
  headers: ({ explanation }) => headers(explanation),
  trace: ({ explanation }) => trace(explanation),
  parts: (mail) => tree(mail.explanation, mail),
  raw: ({ id, size }) => raw(api.rawPath(id), size),
  talk: ({ session }) =>
    session === null
      ? h('p', { class: 'faint' }, 'It came before this start of the server: what was said is no longer known.')
      : talk(session).catch(() => h('p', { class: 'faint' }, 'It was so long ago that what was said is no longer known.')),
};

/** The panel of a view, or what went wrong. */
async function panelOf(name, mail) {
  try {
    return await PANELS[name](mail);
  } catch (error) {
    return h('p', { class: 'bad' }, error.message);
  }
}

function linksOf(links) {
  if (links.length === 0) return null;
  const one = (link) => h('li', {}, h('a', { href: link, rel: 'noreferrer noopener', target: '_blank' }, link));
  return h(
    'details',
    { class: 'links', open: links.length <= 5 },
    h('summary', {}, `${links.length} ${links.length === 1 ? 'link' : 'links'}`),
    h('ul', {}, links.map(one)),
  );
}

/** HTML in a frame that can do nothing: no script, no form, no address of its own. */
function htmlPanel({ id, subject, links }) {
  const frame = h('iframe', {
    sandbox: '',
    title: `HTML of ${subject || 'the mail'}`,
    referrerpolicy: 'no-referrer',
  });
  const apply = () => {
    frame.className = `frame ${look.width}`;
    const src = api.htmlPath(id, look.dark ? 'dark' : 'light');
    if (frame.getAttribute('src') !== src) frame.setAttribute('src', src);
    for (const button of tools.querySelectorAll('[data-width]'))
      button.setAttribute('aria-pressed', String(button.dataset.width === look.width));
    dark.setAttribute('aria-pressed', String(look.dark));
  };
  const width = (name, text) =>
    h('button', { type: 'button', 'data-width': name, onclick: () => apply(Object.assign(look, { width: name })) }, text);
  const dark = h('button', { type: 'button', onclick: () => apply(Object.assign(look, { dark: !look.dark })) }, 'Dark');
  const tools = h(
    'div',
    { class: 'tools', role: 'group', 'aria-label': 'How HTML is shown' },
    width('phone', 'Phone'),
    width('tablet', 'Tablet'),
    width('full', 'Full'),
    dark,
  );
  apply();
  return h('div', { class: 'html-view' }, tools, h('div', { class: 'stage' }, frame), linksOf(links));
}
