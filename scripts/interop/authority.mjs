// Certificates by openssl, of an authority of their own.
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { find } from './programs.mjs';

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

/** An authority in the folder of a stage: `cert`, and `issue`, which gives certificates for names and addresses, with its own behind them. */
export function authority(stage, name = 'authority') {
  const openssl = (...args) => execFileSync(find('openssl'), args, { cwd: stage.folder, stdio: 'pipe' });
  const read = (file) => readFileSync(stage.path(file), 'utf8');
  openssl('req', '-x509', ...KEY, '-keyout', `${name}.key`, '-out', `${name}.crt`, '-subj', `/CN=${name}`, '-days', '30');
  let count = 0;
  return {
    cert: read(`${name}.crt`),
    /** With days below zero it has expired. */
    issue(names, days = 30) {
      const file = `${name}-${++count}`;
      openssl('req', '-new', ...KEY, '-keyout', `${file}.key`, '-out', `${file}.csr`, '-subj', `/CN=${names[0]}`);
      const extensions = stage.file(
        `${file}.ext`,
        `subjectAltName=${names.map((one) => `${isIP(one) === 0 ? 'DNS' : 'IP'}:${one}`).join(',')}\n`,
      );
      const by = ['-CA', `${name}.crt`, '-CAkey', `${name}.key`, '-CAcreateserial', '-extfile', extensions];
      openssl('x509', '-req', '-in', `${file}.csr`, ...by, '-days', `${days}`, '-out', `${file}.crt`);
      return { key: read(`${file}.key`), cert: read(`${file}.crt`) + read(`${name}.crt`) };
    },
  };
}

/** The record of a certificate (RFC 6698 2.1): usage 3 of its key, usage 2 of itself. */
export function tlsa(usage, pem) {
  const certificate = new X509Certificate(pem);
  const octets = usage === 3 ? certificate.publicKey.export({ type: 'spki', format: 'der' }) : certificate.raw;
  return `${usage} ${usage === 3 ? 1 : 0} 1 ${hash(octets)}`;
}

function hash(octets) {
  return execFileSync(find('openssl'), ['dgst', '-sha256', '-r'], { input: octets, encoding: 'utf8' }).slice(0, 64);
}
