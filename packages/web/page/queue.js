// The queue of a relay: its jobs, and why each recipient stands where it does. What others have written becomes text nodes, each by itself.
import { api } from './api.js';
import { h, inert, longTime, say, shortTime, sizeOf, span } from './dom.js';

const STATES = { '': 'every state', leased: 'being tried', due: 'due', waiting: 'waiting', held: 'held' };
const WISHES = { retry: 'Retry now', hold: 'Hold', release: 'Release', bounce: 'Return to sender', delete: 'Delete' };
/** What can't be taken back is asked about. */
const FINAL = { bounce: 'Give this job up, and tell its sender?', delete: 'Delete this job, and tell nobody?' };
const RESULTS = {
  done: 'Done',
  told: 'The relay has the job, and does it when what is under way is over',
  leased: 'Another relay has it: nothing was done',
  gone: 'The job is over',
};
const LOOK_MS = 3000;

/** What is looked for stays while other views are open. */
const sought = { state: '', text: '' };

export async function queueView(chosen) {
  const summary = h('p', { class: 'faint queue-summary', role: 'status' });
  const list = h('ul', { class: 'sessions', 'aria-label': 'Jobs' });
  const detail = h('section', { class: 'detail', 'aria-label': 'Job' });
  const state = h(
    'select',
    { 'aria-label': 'State', onchange: () => seek() },
    Object.entries(STATES).map(([value, text]) => h('option', { value, selected: value === sought.state }, text)),
  );
  const text = h('input', {
    type: 'search',
    placeholder: 'Domain or address',
    'aria-label': 'Domain, or address of a recipient',
    value: sought.text,
    onchange: () => seek(),
  });
  let operable = false;
  let asked = 0;
  const seek = () => {
    Object.assign(sought, { state: state.value, text: text.value.trim() });
    void update();
  };
  const update = async () => {
    const turn = ++asked;
    try {
      const [queue, { jobs, more }] = await Promise.all([api.queue(), api.queueJobs(filters())]);
      if (turn !== asked) return;
      operable = queue.operable;
      summary.textContent = summaryOf(queue.status);
      summary.classList.remove('bad');
      list.replaceChildren(...jobs.map((job) => jobOf(job, chosen)));
      if (jobs.length === 0) list.append(h('li', { class: 'faint' }, sought.state || sought.text ? 'No such job.' : 'The queue is empty.'));
      if (more) list.append(h('li', { class: 'faint' }, `There are more than these ${jobs.length}: narrow them down.`));
    } catch (error) {
      if (turn !== asked) return;
      summary.textContent = error.message;
      summary.classList.add('bad');
      list.replaceChildren();
    }
  };
  const show = async () => {
    if (chosen === null) return;
    try {
      const job = await api.queueJob(chosen);
      const at = detail.scrollTop;
      detail.replaceChildren(...jobParts(job, operable, wish));
      detail.scrollTop = at;
    } catch (error) {
      detail.replaceChildren(h('a', { class: 'back', href: '#/queue' }, '‹ Queue'), h('p', { class: 'faint center' }, error.message));
    }
  };
  const wish = async (what) => {
    if (FINAL[what] !== undefined && !confirm(FINAL[what])) return;
    try {
      const { result } = await api.queueWish(chosen, what);
      say(RESULTS[result] ?? result);
    } catch (error) {
      say(error.message);
    }
    await update();
    await show();
  };
  await update();
  if (chosen === null) detail.append(h('p', { class: 'faint center' }, 'Choose a job to see what has happened to it, and why it waits.'));
  await show();
  const element = h(
    'div',
    { class: `split ${chosen === null ? '' : 'has-detail'}` },
    h('section', { class: 'side', 'aria-label': 'Queue' }, h('div', { class: 'search', role: 'search' }, text, state), summary, list),
    detail,
  );
  const look = setInterval(() => {
    if (!element.isConnected) clearInterval(look);
    else if (!document.hidden) void update();
  }, LOOK_MS);
  return { element, update };
}

function filters() {
  const { state, text } = sought;
  const where = text === '' ? {} : text.includes('@') ? { recipient: text } : { domain: text };
  return { ...(state === '' ? {} : { state }), ...where };
}

function summaryOf({ hostname, state, queue }) {
  if (queue === null) return `${hostname}: ${state}; its queue could not be counted`;
  const { leased, due, waiting, held } = queue;
  return `${hostname}: ${state} · ${leased} being tried · ${due} due · ${waiting} waiting · ${held} held`;
}

/** When it is tried next, in words. */
function nextOf({ state, due }) {
  if (state === 'leased') return 'being tried';
  if (state === 'held') return 'held';
  return state === 'due' ? 'due' : `in ${span(roughly(due - Date.now()))}`;
}

/** Whole seconds, so that times stand still for a moment. */
function roughly(milliseconds) {
  return Math.max(0, Math.round(milliseconds / 1000) * 1000);
}

function jobOf(job, chosen) {
  const { id, from, to, open, arrived, last, tries } = job;
  return h(
    'li',
    {},
    h(
      'a',
      {
        href: `#/queue/${encodeURIComponent(id)}`,
        'aria-current': id === chosen ? 'true' : null,
        class: job.state === 'leased' ? 'open' : '',
      },
      h(
        'span',
        { class: 'line' },
        h('strong', {}, inert(to)),
        h('time', { datetime: new Date(arrived).toISOString() }, shortTime(arrived)),
      ),
      h(
        'span',
        { class: 'faint' },
        inert(from || 'a notice'),
        ` · ${[nextOf(job), open > 1 && `${open} recipients`, tries > 0 && (tries === 1 ? '1 try' : `${tries} tries`)].filter(Boolean).join(' · ')}`,
      ),
      last === null ? null : h('span', { class: 'faint said' }, inert(last)),
    ),
  );
}

function jobParts(job, operable, wish) {
  const { id, from, domain, arrived, octets, tries, message, recipients, others, due, state } = job;
  const facts = [
    ['From', from || 'nobody: it is a notice'],
    ['For', domain],
    ['Message', `${message}, ${octets > 0 ? sizeOf(octets) : 'size not known'}`],
    ['Tries', String(tries)],
    ['Next', state === 'waiting' ? `${longTime(due)}, ${nextOf(job)}` : nextOf(job)],
  ];
  // Of what is held it is no question whether to hold it.
  const shown = Object.entries(WISHES).filter(([what]) => what !== (state === 'held' ? 'hold' : 'release'));
  return [
    h('a', { class: 'back', href: '#/queue' }, '‹ Queue'),
    h('h2', { tabindex: '-1' }, inert(job.to)),
    h(
      'dl',
      { class: 'queue-facts' },
      facts.map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, inert(value)))),
    ),
    operable
      ? h(
          'p',
          { class: 'queue-wishes' },
          shown.map(([what, words]) => h('button', { type: 'button', onclick: () => void wish(what) }, words)),
        )
      : null,
    ...recipients.map((one) => timelineOf(one, arrived)),
    others > 0 ? h('p', { class: 'faint queue-others' }, `${others} more recipients are not shown.`) : null,
    h('p', { class: 'faint queue-others' }, h('code', {}, `ehlo queue why ${id}`)),
  ].filter(Boolean);
}

/** What led to where a recipient stands, with the time between. */
function timelineOf({ address, state, said, steps }, arrived) {
  const all = [{ at: arrived, text: 'The relay has taken it.' }, ...steps];
  return h(
    'section',
    { class: 'timeline' },
    h('h3', {}, inert(address), h('span', { class: `state ${state === 'due' ? '' : 'over'}` }, state)),
    h(
      'ol',
      {},
      all.map(({ at, text }, i) =>
        h(
          'li',
          { class: at > Date.now() ? 'ahead' : '' },
          h('time', { datetime: new Date(at).toISOString() }, longTime(at)),
          i > 0 && at - all[i - 1].at >= 1000 ? h('span', { class: 'gap' }, `+${span(roughly(at - all[i - 1].at))}`) : null,
          h('p', {}, inert(text)),
        ),
      ),
    ),
    said === undefined ? null : h('p', { class: 'said' }, inert(said)),
  );
}
