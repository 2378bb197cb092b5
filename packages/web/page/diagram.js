// The state machine of a server session, drawn from its table: phases, and the ways between them.
import { h, s } from './dom.js';

/** Where each phase stands: column and line. A phase that is not here is put at the end. */
const PLACES = {
  wait: [0, 0],
  connect: [1, 0],
  greeting: [2, 0],
  refused: [3, 0],
  greeted: [1, 1],
  tls: [0, 1.5],
  auth: [2, 1.5],
  ready: [1, 2],
  mail: [1, 3],
  rcpt: [1, 4],
  chunks: [3, 4],
  data: [0, 5],
  chunk: [2, 5],
  drain: [3, 2.5],
  message: [1, 6],
  closed: [3, 6],
};
const WIDE = 96;
const HIGH = 58;
const BOX = [76, 28];

export class Diagram {
  constructor(states) {
    this.states = states;
    this.nodes = new Map();
    this.ways = new Map();
    const names = Object.keys(states.phases);
    const at = (name) => {
      const [x, y] = PLACES[name] ?? [names.indexOf(name) % 4, 7];
      return [x * WIDE + 48, y * HIGH + 24];
    };
    const ways = s('g', { class: 'ways' });
    for (const { from, to } of states.rows) {
      for (const one of from) {
        if (to === undefined || to === one) continue;
        const key = `${one} ${to}`;
        if (this.ways.has(key)) continue;
        // Nearly every phase has ways to these: they are drawn when they are taken.
        const rare = to === 'closed' || to === 'drain' || one === 'drain';
        const path = s('path', { d: wayOf(at(one), at(to)), class: rare ? 'way rare' : 'way' });
        this.ways.set(key, path);
        ways.append(path);
      }
    }
    const nodes = names.map((name) => {
      const [x, y] = at(name);
      const node = s(
        'g',
        { class: 'phase', transform: `translate(${x} ${y})` },
        s('title', {}, states.phases[name]),
        s('rect', { x: -BOX[0] / 2, y: -BOX[1] / 2, width: BOX[0], height: BOX[1], rx: 8 }),
        s('text', { 'text-anchor': 'middle', 'dominant-baseline': 'central' }, name),
      );
      this.nodes.set(name, node);
      return node;
    });
    this.picture = s('svg', { viewBox: `0 0 ${WIDE * 4} ${HIGH * 6 + 48}`, class: 'diagram', role: 'img' }, ways, ...nodes);
    this.words = h('div', { class: 'row-words' });
    this.element = h('div', { class: 'machine' }, this.picture, this.words);
    this.show('connect', 'connect', [], null);
  }

  /** Lights a phase, and the rows that led there from the one before. `line`: by which line of the conversation. */
  show(before, phase, taken, line) {
    for (const [name, node] of this.nodes) node.classList.toggle('lit', name === phase);
    const rows = taken.map(({ row, guard, to }) => ({ ...this.states.rows[row], index: row, guard, led: to }));
    const lit = new Set();
    let at = before;
    for (const { led } of rows) {
      if (led === null) continue;
      lit.add(`${at} ${led}`);
      at = led;
    }
    for (const [key, way] of this.ways) way.classList.toggle('lit', lit.has(key));
    this.picture.setAttribute('aria-label', `The state machine of the session, in the phase ${phase}: ${this.states.phases[phase]}`);
    this.words.replaceChildren(
      h('p', {}, h('strong', {}, phase), ` — ${this.states.phases[phase]}`),
      ...rows.map((row) => this.wordsOf(row)),
      ...(line === null ? [] : [h('p', { class: 'faint' }, line)]),
    );
  }

  wordsOf({ index, on, from, led, guard, effect, reply, refuse, asks }) {
    const facts = [
      ['from', from.join(', ')],
      ['to', led ?? 'the same phase'],
      ['asks', asks],
      ['does', effect && this.states.effects[effect]?.what],
      ['says', reply && this.replyOf(reply)],
      ['refuses', refuse && this.replyOf(refuse)],
      ['failed', guard && (this.states.guards[guard]?.what ?? guard)],
    ].filter(([, value]) => value);
    return h(
      'div',
      { class: 'fired' },
      h('p', {}, h('code', {}, on), h('span', { class: 'faint' }, ` row ${index}`)),
      h(
        'dl',
        {},
        facts.flatMap(([name, value]) => [h('dt', {}, name), h('dd', { class: name === 'failed' ? 'bad' : null }, value)]),
      ),
    );
  }

  replyOf(name) {
    const { code, enhanced = '' } = this.states.replies[name] ?? {};
    return `${code ?? name} ${enhanced}`.trim();
  }
}

/** A curve between two boxes: the further apart, the more it bends. */
function wayOf([x1, y1], [x2, y2]) {
  const [dx, dy] = [x2 - x1, y2 - y1];
  const length = Math.hypot(dx, dy);
  const bend = Math.min(60, Math.max(0, length - 90) * 0.35) + 6;
  const [mx, my] = [(x1 + x2) / 2 - (dy / length) * bend, (y1 + y2) / 2 + (dx / length) * bend];
  return `M${x1} ${y1}Q${mx.toFixed(1)} ${my.toFixed(1)} ${x2} ${y2}`;
}
