// Bugs in what becomes of an acceptance.
import type { Mutant } from './mutant.ts';

const TOLD = '13: an acceptance is told to the client whole, or as unacknowledged, once';
const EVERYWHERE = '13: … wherever the transport stops to take';

export const TOLD_BUGS: readonly Mutant[] = [
  {
    name: 'an acceptance that is handed out counts as told',
    file: 'server/outbox.ts',
    find: '    this.#handed += bytes.length;\n',
    replace: '    this.#handed += bytes.length;\n    this.written(bytes.length);\n',
    law: EVERYWHERE,
  },
  {
    name: 'an acceptance counts as told by its first octet',
    file: 'server/outbox.ts',
    find: 'this.#acceptances[0]!.ends <= this.#taken',
    replace: 'this.#acceptances[0]!.ends <= this.#taken + 20',
    law: EVERYWHERE,
  },
  {
    name: 'an acceptance that is still on its way is told as lost',
    file: 'server/outbox.ts',
    find: 'ending === null || (mayTake && this.#acceptances.length > 0)',
    replace: 'ending === null || (mayTake && this.#acceptances.length > 1e9)',
    law: TOLD,
  },
  {
    name: 'what a deaf client was handed is told as lost, though it may be taken',
    file: 'server/session.ts',
    find: '  machine.outbox.drop();\n',
    replace: '  machine.outbox.lose();\n',
    law: TOLD,
    cases: 999,
  },
  {
    name: 'an acceptance that is held back when the connection is lost is forgotten',
    file: 'server/outbox.ts',
    find: '    this.drop();\n    this.#taken = this.#handed;\n',
    replace: '    if (this.holds) this.#acceptances.pop();\n    this.drop();\n    this.#taken = this.#handed;\n',
    law: TOLD,
  },
  {
    name: 'snapshot forgets what was not taken',
    file: 'server/outbox.ts',
    find: '    this.#acceptances = [...acceptances];\n',
    replace: '',
    law: TOLD,
  },
  {
    name: 'snapshot forgets what was handed out',
    file: 'server/outbox.ts',
    find: '    this.#made = unwritten;\n',
    replace: '    this.#made = 0;\n',
    law: TOLD,
    cases: 999,
  },
];
