// A conversation, line by line with its time, beside the state machine.
import { api } from './api.js';
import { Diagram } from './diagram.js';
import { exactTime, h } from './dom.js';

let states = null;

/** The view of a session; `update()` asks for it again. */
export async function talk(id) {
  states ??= api.states();
  const diagram = new Diagram(await states);
  const lines = h('ol', { class: 'lines', 'aria-label': 'Conversation' });
  const element = h('div', { class: 'talk' }, lines, diagram.element);
  let drawn = 0;
  let follows = true;
  const pick = (li, before, line, byHand) => {
    lines.querySelector('.picked')?.classList.remove('picked');
    li.classList.add('picked');
    diagram.show(before?.phase ?? 'connect', line.phase, line.rows, byHand ? `${exactTime(line.at)} ${line.text}` : null);
    if (byHand) follows = li === lines.lastElementChild;
  };
  const update = async () => {
    const session = await api.session(id);
    const all = session.conversation;
    for (const [i, line] of all.slice(drawn).entries()) {
      const before = all[drawn + i - 1];
      const li = lineOf(line, before, () => pick(li, before, line, true));
      lines.append(li);
      if (follows) pick(li, before, line, false);
    }
    // Answers may overtake each other.
    drawn = Math.max(drawn, all.length);
    if (session.cut > 0 && !lines.querySelector('.cut'))
      lines.append(h('li', { class: 'cut note' }, `${session.cut} more lines were not kept`));
    return session;
  };
  const session = await update();
  return { element, update, session };
}

function lineOf(line, before, onclick) {
  const from = { client: 'C', server: 'S', note: '' }[line.from];
  const passed = before === undefined ? '' : `+${line.at - before.at} ms`;
  const refused = line.from === 'server' && /^[45]/.test(line.text);
  return h(
    'li',
    { class: `${line.from}${refused ? ' refused' : ''}` },
    h(
      'button',
      {
        type: 'button',
        onclick,
        title: `${line.phase}${line.rows.length > 0 ? `, row ${line.rows.map(({ row }) => row).join(', ')}` : ''}`,
      },
      h('time', { datetime: new Date(line.at).toISOString() }, exactTime(line.at)),
      h('span', { class: 'passed' }, passed),
      h('span', { class: 'who' }, from),
      h('span', { class: 'said' }, line.text),
    ),
  );
}
