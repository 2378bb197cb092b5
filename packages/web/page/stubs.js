// Stubs: made, seen firing, taken back.
import { api } from './api.js';
import { h, say } from './dom.js';

const STAGES = ['connect', 'hello', 'tls', 'auth', 'mail', 'rcpt', 'data', 'chunk', 'message', 'quit'];

/** What a stub of the form does: its name, and how the action is made of the fields. */
const ACTIONS = {
  reply: 'replies',
  drop: 'drops the connection',
  reset: 'resets the connection',
  stall: 'says nothing more',
  delay: 'waits, then answers',
};

const EXAMPLE = `{
  "on": "rcpt",
  "match": { "to": "full@*" },
  "do": { "reply": { "code": 452, "enhanced": "4.2.2", "text": "Mailbox full" } },
  "times": 1
}`;

export async function stubsView() {
  const list = h('ul', { class: 'stubs', 'aria-label': 'Stubs, the newest first' });
  const told = h('p', { class: 'bad', role: 'alert' });
  const fired = new Map();
  const update = async () => {
    const { stubs } = await api.stubs();
    list.replaceChildren(
      ...stubs.map((one) => {
        const before = fired.get(one.id);
        fired.set(one.id, one.fired);
        const li = stubOf(one, () => void remove(one.id));
        if (before !== undefined && before !== one.fired) {
          li.classList.add('just-fired');
          say(`A stub has acted: ${one.stub.on}`);
        }
        return li;
      }),
    );
    if (stubs.length === 0) list.replaceChildren(h('li', { class: 'faint' }, 'No stub: the server takes what is valid.'));
  };
  const remove = async (id) => {
    await api.removeStub(id);
    await update();
  };
  const add = async (stub) => {
    told.textContent = '';
    try {
      await api.addStub(stub);
      say('The stub is in use');
      await update();
    } catch (error) {
      told.textContent = error.message;
    }
  };
  await update();
  const element = h(
    'div',
    { class: 'page' },
    h('h2', {}, 'Stubs'),
    h(
      'p',
      { class: 'faint' },
      'The server fails on command: the newest stub that fits acts. ',
      h('code', {}, '*'),
      ' stands for any characters.',
    ),
    form(add),
    told,
    list,
    h('details', { class: 'json' }, h('summary', {}, 'All that a stub can do, as JSON'), jsonForm(add, told)),
  );
  return { element, update };
}

function stubOf({ id, from, fired, stub }, onclick) {
  const { on, match = {}, do: action, times, about } = stub;
  const words = Object.entries(match).map(([name, value]) => `${name} ${typeof value === 'string' ? value : JSON.stringify(value)}`);
  return h(
    'li',
    { 'data-id': id },
    h(
      'p',
      {},
      h('code', { class: 'on' }, on),
      words.length > 0 ? h('span', { class: 'match' }, words.join(', ')) : null,
      h('span', {}, actionWords(action)),
    ),
    h(
      'p',
      { class: 'faint' },
      `${from === 'preset' ? 'of a file or preset · ' : ''}has acted ${fired} ${fired === 1 ? 'time' : 'times'}${times ? ` of ${times}` : ''}${about ? ` · ${about}` : ''}`,
    ),
    from === 'program' ? h('button', { type: 'button', onclick, 'aria-label': `Take back the stub on ${on}` }, 'Take back') : null,
  );
}

/** `{ after: 1024 }` in words; what else an action has, as JSON. */
function amount(value) {
  if (typeof value === 'string') return value;
  return value.after === undefined ? JSON.stringify(value) : `after ${value.after} octets`;
}

function actionWords({ reply, delay, ...others }) {
  const text = (value) => (Array.isArray(value) ? value.join(' / ') : (value ?? ''));
  const said =
    reply === undefined
      ? null
      : reply.raw === undefined
        ? `${reply.code} ${reply.enhanced ?? ''} ${text(reply.text)}`.replaceAll(/\s+/g, ' ')
        : JSON.stringify(reply.raw);
  const rest = Object.entries(others).map(([name, value]) => (value === true ? name : `${name} ${amount(value)}`));
  return [delay === undefined ? null : `after ${typeof delay === 'number' ? `${delay} ms` : delay}`, said, ...rest]
    .filter(Boolean)
    .join(', ');
}

function form(add) {
  const select = (name, options, value) =>
    h(
      'select',
      { name },
      options.map(([key, text]) => h('option', { value: key, selected: key === value }, text)),
    );
  const field = (text, control, kind = '') => h('label', { class: kind }, h('span', {}, text), control);
  const input = (name, given) => h('input', { name, autocomplete: 'off', spellcheck: 'false', ...given });
  const does = select('does', Object.entries(ACTIONS), 'reply');
  const replies = [
    field('Code', input('code', { value: '452', inputmode: 'numeric', size: 4, required: true, pattern: '[2-5][0-9][0-9]' }), 'of-reply'),
    field('Enhanced', input('enhanced', { value: '4.2.2', size: 6, pattern: '[245](\\.[0-9]{1,3}){2}' }), 'of-reply'),
    field('Text', input('text', { value: 'Mailbox full', size: 22 }), 'of-reply'),
  ];
  const wait = field('Time', input('delay', { value: '2 s', size: 8 }), 'of-delay');
  wait.hidden = true;
  does.addEventListener('change', () => {
    for (const label of replies) {
      label.hidden = does.value !== 'reply';
      label.querySelector('input').disabled = label.hidden;
    }
    wait.hidden = does.value !== 'delay';
  });
  const onsubmit = (event) => {
    event.preventDefault();
    const { on, to, from, times, code, enhanced, text, delay } = Object.fromEntries(new FormData(event.target));
    const match = { ...(to ? { to } : {}), ...(from ? { from } : {}) };
    const reply = { code: Number(code), ...(enhanced ? { enhanced } : {}), ...(text ? { text } : {}) };
    const action = does.value === 'reply' ? { reply } : does.value === 'delay' ? { delay } : { [does.value]: true };
    void add({ on, ...(Object.keys(match).length > 0 ? { match } : {}), do: action, ...(times ? { times: Number(times) } : {}) });
  };
  return h(
    'form',
    { class: 'stub-form', onsubmit },
    field(
      'On',
      select(
        'on',
        STAGES.map((name) => [name, name]),
        'rcpt',
      ),
    ),
    field('Recipient', input('to', { placeholder: 'full@*', size: 16 })),
    field('Sender', input('from', { placeholder: 'any', size: 16 })),
    field('Server', does),
    ...replies,
    wait,
    field('Times', input('times', { placeholder: 'always', inputmode: 'numeric', size: 6, pattern: '[0-9]+' })),
    h('button', { class: 'main' }, 'Make stub'),
  );
}

function jsonForm(add, told) {
  const area = h('textarea', { 'aria-label': 'A stub as JSON', rows: 8, spellcheck: 'false', '.value': EXAMPLE });
  const onsubmit = (event) => {
    event.preventDefault();
    try {
      void add(JSON.parse(area.value));
    } catch (error) {
      told.textContent = error.message;
    }
  };
  return h('form', { onsubmit }, area, h('p', {}, h('button', {}, 'Make stub'), ' ', h('a', { href: '/api/stubs/schema' }, 'JSON Schema')));
}
