// Bugs that let in who does not come to bring mail.
import type { Mutant } from './mutant.ts';

const HTTP = '3: a request of HTTP is cut off, and no command in its body is carried out';
const TLS = '3: a TLS handshake where a line is due ends the session, and no command in it is carried out';
const BUDGETS = '3: commands that bring no message are answered within a budget';
const SUBMITTER = '9: who has not authenticated submits for nobody';

export const STRANGER_BUGS: readonly Mutant[] = [
  {
    name: 'a line that is too long is answered before anybody looks what it is of',
    file: 'server/command.ts',
    find: '  if (isOfRequest(machine, verb))',
    replace: '  if (!input.overlong && isOfRequest(machine, verb))',
    law: HTTP,
  },
  {
    name: 'what stands behind a bare LF is not looked at',
    file: 'server/command.ts',
    find: '  if (isOfRequest(machine, verb))',
    replace: '  if (!input.rest && isOfRequest(machine, verb))',
    law: HTTP,
    cases: 999,
  },
  {
    name: 'EHLO proves that a client speaks SMTP',
    file: 'server/other-protocols.ts',
    find: 'if (facts.speaksSmtp) return false;',
    replace: 'if (facts.speaksSmtp || facts.hello !== null) return false;',
    law: HTTP,
  },
  {
    name: 'the fields of a request are not known',
    file: 'server/other-protocols.ts',
    find: "colon === ':' ? parseVerb",
    replace: "colon === ';' ? parseVerb",
    law: HTTP,
  },
  {
    name: 'a method in small letters is none',
    file: 'server/other-protocols.ts',
    find: 'METHODS.has(word.toUpperCase())) return true;\n  return !overlong &&',
    replace: "METHODS.has(word)) return true;\n  return word !== 'patch' && !overlong &&",
    law: HTTP,
    cases: 999,
  },
  {
    name: 'TLS is looked for at the beginning only',
    file: 'server/other-protocols.ts',
    find: 'const begins = machine.input',
    replace: "const begins = machine.phase === 'greeted' && machine.input",
    law: TLS,
  },
  {
    name: 'TLS in AUTH is a response like any',
    file: 'server/auth.ts',
    find: 'if (beginsTls(machine)) return true;',
    replace: '',
    law: TLS,
  },
  {
    name: 'a stranger is believed who submitted a message',
    file: 'server/believed.ts',
    find: 'parameters.auth !== undefined && facts.identity === null',
    replace: 'parameters.auth !== undefined && facts.hello === null',
    law: SUBMITTER,
  },
  {
    name: 'what resets costs nothing',
    file: 'server/program.ts',
    find: "new Set(['RCPT', 'BDAT', 'QUIT'])",
    replace: "new Set(['RCPT', 'BDAT', 'QUIT', 'RSET', 'MAIL'])",
    law: BUDGETS,
  },
  {
    name: 'a refused message is progress',
    file: 'server/message-effects.ts',
    find: '({ transaction: decided(at, row), reply, delay })',
    replace: '({ transaction: decided(at, row), counts: { idleCommands: 0 }, reply, delay })',
    law: BUDGETS,
  },
  {
    name: 'recipients that the program refuses are not counted',
    file: 'server/effects.ts',
    find: "if (question.type === 'rcpt') return { ...refusedRecipient(at), ...worded",
    replace: "if (question.type === 'rcpt') return { ...worded",
    law: BUDGETS,
  },
  {
    name: 'a new transaction has a new budget',
    file: 'server/effects.ts',
    find: 'giveUpTransaction: (at) => ({ transaction: NO_TRANSACTION,',
    replace: 'giveUpTransaction: (at) => ({ counts: { idleCommands: 0 }, transaction: NO_TRANSACTION,',
    law: BUDGETS,
  },
];
