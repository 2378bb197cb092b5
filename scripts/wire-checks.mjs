// Writes what `ehlo conform` reads into packages/conform/dist: the checks of servers and of clients, and the requirements that they name.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../', import.meta.url));
const read = (path) => JSON.parse(readFileSync(`${root}test-vectors/${path}`, 'utf8'));

const standards = read('requirements.json').requirements.map(({ id, rfc, section, level, statement }) => {
  return { id, section: `RFC ${rfc} ${section}`, level, statement };
});
const field = read('behaviours.json').behaviours.map(({ id, statement }) => ({ id, statement }));
const requirements = [...standards, ...field];

write('wire-checks.json', 'server', ({ steps }) => steps);
write('client-checks.json', 'client', ({ rules }) => rules);

function write(name, side, partsOf) {
  const files = readdirSync(`${root}test-vectors/wire/${side}`).sort();
  const checks = files.flatMap((file) => read(`wire/${side}/${file}`).checks);
  const named = new Set(checks.flatMap((check) => partsOf(check).flatMap(({ shows = [] }) => shows)));
  const shown = Object.fromEntries(requirements.filter(({ id }) => named.has(id)).map((one) => [one.id, one]));
  writeFileSync(`${root}packages/conform/dist/${name}`, JSON.stringify({ checks, requirements: shown }));
}
