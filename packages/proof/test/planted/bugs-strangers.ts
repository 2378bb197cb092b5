// Bugs that let in who does not come to bring mail.
import type { Mutant } from './mutants.ts';

const HTTP = '3: a request of HTTP is cut off, and no command in its body is carried out';
const TLS = '3: a TLS handshake where a line is due ends the session, and no command in it is carried out';
const BUDGETS = '3: commands that bring no message are answered within a budget';
const SUBMITTER = '9: who has not authenticated submits for nobody';

export const STRANGER_BUGS: readonly Mutant[] = [
  {
    name: 'a line that is too long is answered before anybody looks what it is of',
    file: 'server/command.ts',
    find: 'if (isOfRequest(core)) speak',
    replace: 'if (!input.overlong && isOfRequest(core)) speak',
    law: HTTP,
  },
  {
    name: 'EHLO proves that a client speaks SMTP',
    file: 'server/other-protocols.ts',
    find: 'if (state.speaksSmtp) return false;',
    replace: 'if (state.speaksSmtp || state.hello !== null) return false;',
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
    find: 'const begins = core.input',
    replace: "const begins = core.state.phase === 'greeted' && core.input",
    law: TLS,
  },
  {
    name: 'TLS in AUTH is a response like any',
    file: 'server/auth.ts',
    find: 'if (beginsTls(core)) return true;',
    replace: '',
    law: TLS,
  },
  {
    name: 'a stranger is believed who submitted a message',
    file: 'server/envelope-rules.ts',
    find: 'parameters.auth !== undefined && state.identity === null',
    replace: 'parameters.auth !== undefined && state.hello === null',
    law: SUBMITTER,
  },
  {
    name: 'what resets costs nothing',
    file: 'server/command.ts',
    find: "new Set(['RCPT', 'BDAT', 'QUIT'])",
    replace: "new Set(['RCPT', 'BDAT', 'QUIT', 'RSET', 'MAIL'])",
    law: BUDGETS,
  },
  {
    name: 'a refused message is progress',
    file: 'server/answer.ts',
    find: "  if (question.type === 'rcpt') core.state.refusedRecipients++;\n",
    replace:
      "  if (question.type === 'rcpt') core.state.refusedRecipients++;\n  if (question.type === 'message') core.state.idleCommands = 0;\n",
    law: BUDGETS,
  },
  {
    name: 'recipients that the program refuses are not counted',
    file: 'server/answer.ts',
    find: "  if (question.type === 'rcpt') core.state.refusedRecipients++;\n",
    replace: '',
    law: BUDGETS,
  },
  {
    name: 'a new transaction has a new budget',
    file: 'server/core.ts',
    find: '    this.state.onlyRefused = false;\n',
    replace: '    this.state.onlyRefused = false;\n    this.state.idleCommands = 0;\n',
    law: BUDGETS,
  },
];
