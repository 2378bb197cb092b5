// What @ehlo/proof is published with beside its code: the test vectors and the ABNF. They are copied before it is packed, and --remove takes
// them away behind it.
import { cpSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const DATA = { 'test-vectors': 'packages/proof/test-vectors', 'packages/grammar/abnf': 'packages/proof/abnf' };

for (const [from, to] of Object.entries(DATA)) {
  rmSync(at(to), { recursive: true, force: true });
  if (!process.argv.includes('--remove')) cpSync(at(from), at(to), { recursive: true });
}
