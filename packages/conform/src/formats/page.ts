/** The style of the page: the colours are those of the reader's scheme, each with a contrast of at least 4.5 to its ground. */
export const STYLE: string = `
:root { color-scheme: light dark; --ink: #1b1b1b; --ground: #ffffff; --soft: #f2f2f2; --line: #6b6b6b; --violates: #a40000; --inconclusive: #7a4a00; --permitted: #0b5394; --conforms: #1c5f1c; --skipped: #555555; }
@media (prefers-color-scheme: dark) { :root { --ink: #eeeeee; --ground: #161616; --soft: #242424; --line: #9a9a9a; --violates: #ff9d9d; --inconclusive: #f0c36d; --permitted: #9cc9ff; --conforms: #9fdf9f; --skipped: #bdbdbd; } }
body { font: 1rem/1.5 system-ui, sans-serif; color: var(--ink); background: var(--ground); max-width: 70rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.4rem; overflow-wrap: anywhere; }
fieldset { border: 1px solid var(--line); margin: 0 0 1rem; }
fieldset label { display: block; }
input:focus-visible, summary:focus-visible, pre:focus-visible { outline: 3px solid var(--permitted); outline-offset: 2px; }
#findings, #findings ul { padding-left: 1.2rem; }
#findings { list-style: none; padding: 0; }
#findings > li { border-left: .3rem solid currentColor; margin: .5rem 0; padding: .2rem .6rem; background: var(--soft); }
#findings details { color: var(--ink); overflow-wrap: anywhere; }
summary { cursor: pointer; }
.violates, .violates strong { color: var(--violates); } .inconclusive, .inconclusive strong { color: var(--inconclusive); } .permitted, .permitted strong { color: var(--permitted); } .conforms, .conforms strong { color: var(--conforms); } .skipped, .skipped strong { color: var(--skipped); }
pre { white-space: pre-wrap; overflow-wrap: anywhere; border: 1px solid var(--line); padding: .5rem; }
@media print { form { display: none; } #findings > li { break-inside: avoid; background: none; } }
`;

/** Filters by verdict and by words; before it is printed all that is shown is opened. */
export const SCRIPT: string = `
const items = [...document.querySelectorAll('#findings > li')];
const words = document.getElementById('words');
const filter = document.getElementById('filter');
function show() {
  const verdicts = new Set([...filter.querySelectorAll('input:checked')].map(({ value }) => value));
  const wanted = words.value.toLowerCase().split(' ').filter(Boolean);
  let count = 0;
  for (const item of items) {
    const text = item.textContent.toLowerCase();
    item.hidden = !verdicts.has(item.dataset.verdict) || !wanted.every((word) => text.includes(word));
    if (!item.hidden) count++;
  }
  document.getElementById('shown').textContent = count + ' of ' + items.length + ' shown';
}
filter.addEventListener('input', show);
filter.addEventListener('submit', (event) => event.preventDefault());
addEventListener('beforeprint', () => { for (const item of items) if (!item.hidden) item.firstElementChild.open = true; });
show();
`;

/** The script is run by its hash, and no other is. */
export const SCRIPT_HASH = 'sha256-wYadtyx9avrCergGXHiLYPBanFPAYuB9ua7rwoQjhEg=';
