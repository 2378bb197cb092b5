// Names for mail that nobody else has: a zone that is signed, a part of it that is not, and one that is bogus, behind a resolver that validates.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { find } from './programs.mjs';
import { freePort } from './stage.mjs';

const SERIAL = 'SOA ns hostmaster 1 3600 600 86400 300';

/**
 * Starts unbound over the zone `example` with these records, its parts `insecure.example`, which nobody has signed, and `bogus.example`, whose key is another
 * than its parent says. Resolves with the port.
 */
export async function zones(stage, { signed, insecure = '', bogus = '' }) {
  const port = await freePort();
  const head = (origin) => `$ORIGIN ${origin}.\n$TTL 300\n@ ${SERIAL}\n@ NS ns\nns A 127.0.0.1\n`;
  const wrong = `bogus DS 12345 13 2 ${'0'.repeat(64)}`;
  stage.file('example.zone', `${head('example')}insecure NS ns\nbogus NS ns\n${wrong}\n${signed}\n`);
  stage.file('insecure.zone', `${head('insecure.example')}${insecure}\n`);
  stage.file('bogus.zone', `${head('bogus.example')}${bogus}\n`);
  const inFolder = { cwd: stage.folder, encoding: 'utf8' };
  const key = execFileSync(find('ldns-keygen'), ['-a', 'ECDSAP256SHA256', '-k', 'example'], inFolder).trim();
  execFileSync(find('ldns-signzone'), ['-f', 'example.signed', 'example.zone', key], inFolder);
  const zone = (name, file) =>
    `auth-zone:\n name: "${name}."\n zonefile: "${file}"\n for-upstream: yes\n for-downstream: no\n fallback-enabled: no\n`;
  const config = `server:
 interface: 127.0.0.1@${port}
 port: ${port}
 do-daemonize: no
 use-syslog: no
 chroot: ""
 username: ""
 pidfile: ""
 directory: "${stage.folder}"
 module-config: "validator iterator"
 trust-anchor: "${readFileSync(stage.path(`${key}.key`), 'utf8')
   .trim()
   .replaceAll(/\s+/g, ' ')
   .replaceAll('"', '')}"
${zone('example', 'example.signed')}${zone('insecure.example', 'insecure.zone')}${zone('bogus.example', 'bogus.zone')}`;
  await stage.daemon('unbound', ['-d', '-c', stage.file('unbound.conf', config)], [port]);
  return port;
}
