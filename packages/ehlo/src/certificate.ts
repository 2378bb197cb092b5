import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { type Certificate, ServerTls } from '#adapter';
import { selfSigned } from './self-signed.ts';

/** The options of `ehlo serve` that say where its certificate comes from. */
export interface CertificateOptions {
  readonly cert?: string;
  readonly key?: string;
  readonly tlsSelfSigned: boolean;
  readonly tlsPort?: number;
  readonly requireTls: boolean;
}

/** The certificate of a server, and how to read it anew. */
export interface LoadedCertificate {
  readonly tls: ServerTls;
  /** SHA-256, of a certificate that was made on the spot. */
  readonly fingerprint: string | null;
  /** Reads the files again, for the handshakes that follow; what is wrong is thrown, and changes nothing. Null where there are none. */
  readonly reload: (() => Promise<void>) | null;
}

/** Null where no option asks for TLS. */
export async function loadCertificate(options: CertificateOptions, hostname: string): Promise<LoadedCertificate | null> {
  const { cert, key, tlsSelfSigned, tlsPort, requireTls } = options;
  if (tlsSelfSigned && (cert !== undefined || key !== undefined))
    throw new Error('--tls-self-signed makes a certificate: leave out --cert and --key');
  if (tlsSelfSigned) {
    const made = trialCertificate(hostname);
    const { fingerprint256 } = new X509Certificate(made.cert);
    return { tls: new ServerTls(made), fingerprint: fingerprint256, reload: null };
  }
  if (cert !== undefined && key === undefined) throw new Error('--cert needs --key, the file with its private key');
  if (key !== undefined && cert === undefined) throw new Error('--key needs --cert, the file with its certificate');
  if (cert === undefined || key === undefined) {
    if (tlsPort === undefined && !requireTls) return null;
    throw new Error(`${requireTls ? '--require-tls' : '--tls-port'} needs a certificate: --cert and --key, or --tls-self-signed`);
  }
  const files = { cert, key };
  const first = await read(files);
  const tls = attempt(files, () => new ServerTls(first));
  const reload = async (): Promise<void> => {
    const next = await read(files);
    attempt(files, () => tls.update(next));
  };
  return { tls, fingerprint: null, reload };
}

interface Files {
  readonly cert: string;
  readonly key: string;
}

async function read({ cert, key }: Files): Promise<{ cert: Buffer; key: Buffer }> {
  return { cert: await readOption('--cert', cert), key: await readOption('--key', key) };
}

async function readOption(option: string, file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new Error(`${option}: ${code === 'ENOENT' ? `there is no file ${file}` : message}`);
  }
}

/** OpenSSL's errors name neither the file nor what to do. */
function attempt<T>({ cert, key }: Files, load: () => T): T {
  try {
    return load();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ERR_OSSL_X509_KEY_VALUES_MISMATCH') throw new Error(`the key in ${key} is not that of the certificate in ${cert}`);
    throw new Error(`${cert} and ${key} can't be used as a certificate and its key, in PEM: ${message}`);
  }
}

/** For trials on this machine. */
function trialCertificate(hostname: string): Certificate {
  const names = [...(hostname.startsWith('[') ? [] : [hostname]), 'localhost'];
  return selfSigned([...new Set(names)], '127.0.0.1');
}
