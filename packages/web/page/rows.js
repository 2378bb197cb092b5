// A list of any length, of which only what is seen is in the document.
import { h } from './dom.js';

/** Rows that are asked for at a time, and those that are kept beyond the edges. */
const PAGE = 50;
const BEYOND = 10;

export class Rows {
  /** `fetch(start, limit)` gives { total, rows }; `show(row)` makes what is in a row; `open(row)` is called for the one that is chosen. */
  constructor({ label, height, fetch, show, open, counted }) {
    Object.assign(this, { height, fetch, show, open, counted });
    this.total = 0;
    this.known = new Map();
    this.asked = new Set();
    this.version = 0;
    this.chosen = null;
    this.list = h('div', { class: 'rows', role: 'listbox', 'aria-label': label, tabindex: 0 });
    this.element = h('div', { class: 'scroller' }, this.list);
    this.element.addEventListener('scroll', () => this.draw(), { passive: true });
    new ResizeObserver(() => this.draw()).observe(this.element);
  }

  /** Asks for all that is seen again; what is shown stays until it comes. */
  async refresh() {
    this.version++;
    this.stale = this.known;
    this.known = new Map();
    this.asked = new Set();
    await this.ask(Math.floor(Math.max(0, this.first) / PAGE) * PAGE);
  }

  /** From the top, for another search. */
  async restart() {
    this.element.scrollTop = 0;
    this.stale = new Map();
    await this.refresh();
  }

  get first() {
    return Math.floor(this.element.scrollTop / this.height);
  }

  async ask(start) {
    if (this.asked.has(start)) return;
    this.asked.add(start);
    const { version } = this;
    const { total, rows } = await this.fetch(start, PAGE);
    if (version !== this.version) return;
    this.total = total;
    for (const [i, row] of rows.entries()) this.known.set(start + i, row);
    this.counted(total);
    this.draw();
  }

  draw() {
    const seen = Math.ceil(this.element.clientHeight / this.height);
    const from = Math.max(0, this.first - BEYOND);
    const to = Math.min(this.total, this.first + seen + BEYOND);
    this.list.style.height = `${this.total * this.height}px`;
    const drawn = [];
    for (let i = from; i < to; i++) {
      const row = this.known.get(i) ?? this.stale?.get(i);
      if (!this.known.has(i)) void this.ask(Math.floor(i / PAGE) * PAGE);
      const chosen = row !== undefined && row.id === this.chosen;
      const element = h(
        'div',
        {
          class: `row${chosen ? ' chosen' : ''}`,
          id: `row-${i}`,
          role: 'option',
          'aria-selected': String(chosen),
          'aria-setsize': this.total,
          'aria-posinset': i + 1,
          onclick: () => row !== undefined && this.choose(i, true),
        },
        row === undefined ? h('span', { class: 'faint' }, '…') : this.show(row),
      );
      element.style.top = `${i * this.height}px`;
      element.style.height = `${this.height}px`;
      drawn.push(element);
    }
    this.list.replaceChildren(...drawn);
    const at = this.place;
    if (at >= from && at < to) this.list.setAttribute('aria-activedescendant', `row-${at}`);
    else this.list.removeAttribute('aria-activedescendant');
  }

  /** Where the chosen one is, as far as it is known. */
  get place() {
    for (const [i, row] of this.known) if (row.id === this.chosen) return i;
    return -1;
  }

  async choose(i, byHand) {
    if (i < 0 || i >= this.total) return;
    if (!this.known.has(i)) await this.ask(Math.floor(i / PAGE) * PAGE);
    const row = this.known.get(i);
    if (row === undefined) return;
    this.chosen = row.id;
    this.reveal(i);
    this.draw();
    this.open(row, byHand);
  }

  /** The next, or the one before. */
  step(by) {
    const at = this.place;
    void this.choose(at < 0 ? this.first : at + by, false);
  }

  reveal(i) {
    const { element, height } = this;
    const top = i * height;
    if (top < element.scrollTop) element.scrollTop = top;
    else if (top + height > element.scrollTop + element.clientHeight) element.scrollTop = top + height - element.clientHeight;
  }
}
