// Lists in docs/interop.md what others' programs do with the server, and what theirs are sent; --check compares only.
import { clients } from './interop/clients.mjs';
import { conformScenarios } from './interop/conform.mjs';
import { conformClientScenarios } from './interop/conform-clients.mjs';
import { conformReportScenarios } from './interop/conform-report.mjs';
import { conformRunnerScenarios } from './interop/conform-runners.mjs';
import { dnsScenarios } from './interop/dns.mjs';
import { eximScenarios } from './interop/exim.mjs';
import { extensionScenarios } from './interop/extensions.mjs';
import { haproxyScenarios } from './interop/haproxy.mjs';
import { nginxScenarios } from './interop/nginx.mjs';
import { postfixScenarios } from './interop/postfix.mjs';
import { peers } from './interop/sending.mjs';
import { testingScenarios } from './interop/testing.mjs';
import { webScenarios } from './interop/web.mjs';
import { webClientScenarios } from './interop/web-clients.mjs';
import { between } from './lib/between.mjs';

const scenarios = [
  ...clients,
  ...dnsScenarios,
  ...eximScenarios,
  ...postfixScenarios,
  ...haproxyScenarios,
  ...nginxScenarios,
  ...extensionScenarios,
  ...testingScenarios,
  ...webScenarios,
  ...webClientScenarios,
  ...conformScenarios,
  ...conformClientScenarios,
  ...conformRunnerScenarios,
  ...conformReportScenarios,
];
const rows = scenarios.map(({ name }) => /^([^:]+)(?:: (.*))?$/.exec(name)).map(([, program, what = 'a message']) => [program, what]);
const programs = [...new Set(rows.map(([program]) => program))];
const lines = programs.flatMap((program) =>
  rows.filter(([name]) => name === program).map(([, what], n) => `| ${n === 0 ? program : ''} | ${what} |`),
);
const sent = peers.map(({ name, letters, starttls, implicit, mechanisms = [] }) => {
  const ways = [
    ...(letters.length > 0 ? ['in the clear'] : []),
    ...(starttls ? ['STARTTLS'] : []),
    ...(implicit ? ['TLS from the start'] : []),
  ];
  return `| ${name} | ${letters.length || ''} | ${ways.join(', ')} | ${mechanisms.join(', ')} |`;
});
const tables = {
  interop: ['| program | scenario |', '|---|---|', ...lines],
  sent: ['| server | letters | by | mechanisms of SASL |', '|---|---|---|---|', ...sent],
};
const check = process.argv.includes('--check');
const same = Object.entries(tables).map(([name, table]) => between('docs/interop.md', name, table.join('\n'), check));
process.exitCode = same.every(Boolean) ? 0 : 1;
