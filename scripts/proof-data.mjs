// What @ehlo/proof is published with beside its code: the ABNF. It is copied before it is packed, and --remove takes it away behind it. The test
// vectors are a package of their own.
import { cpSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const DATA = { 'packages/grammar/abnf': 'packages/proof/abnf' };

for (const [from, to] of Object.entries(DATA)) {
  rmSync(at(to), { recursive: true, force: true });
  if (!process.argv.includes('--remove')) cpSync(at(from), at(to), { recursive: true });
}
