// Lists in docs/interop.md what others' programs do with the server; --check compares only.
import { clients } from './interop/clients.mjs';
import { eximScenarios } from './interop/exim.mjs';
import { extensionScenarios } from './interop/extensions.mjs';
import { haproxyScenarios } from './interop/haproxy.mjs';
import { nginxScenarios } from './interop/nginx.mjs';
import { postfixScenarios } from './interop/postfix.mjs';
import { between } from './lib/between.mjs';

const scenarios = [...clients, ...eximScenarios, ...postfixScenarios, ...haproxyScenarios, ...nginxScenarios, ...extensionScenarios];
const rows = scenarios.map(({ name }) => /^([^:]+)(?:: (.*))?$/.exec(name)).map(([, program, what = 'a message']) => [program, what]);
const programs = [...new Set(rows.map(([program]) => program))];
const lines = programs.flatMap((program) =>
  rows.filter(([name]) => name === program).map(([, what], n) => `| ${n === 0 ? program : ''} | ${what} |`),
);
const table = ['| program | scenario |', '|---|---|', ...lines].join('\n');
process.exitCode = between('docs/interop.md', 'interop', table, process.argv.includes('--check')) ? 0 : 1;
