// What a configuration refers to: files of addresses, certificates, secrets. All is read before anything changes.

import { readFile } from 'node:fs/promises';
import { ConfigError, type ConfigProblem } from '../config/check.ts';
import type { RelayConfig, SecretPlace } from '../config/config.ts';
import { FORMS } from '../config/forms.ts';
import { Directory } from './directory.ts';
import { Policy } from './policy.ts';

/** The policy of a configuration and its files, and of the users that there are. Throws `ConfigError`. */
export async function loadPolicy(config: RelayConfig, isUser: Policy['isUser']): Promise<Policy> {
  const { hostname, postmaster, domains, subaddress } = config;
  const problems: ConfigProblem[] = [];
  const lines = (path: string, file: string | undefined): Promise<readonly Line[]> => linesOf(path, file, problems);
  const recipients = [...config.recipients];
  for (const { text, tell } of await lines('recipientsFile', config.recipientsFile)) {
    if (FORMS['address-pattern'].fits(text)) recipients.push(text);
    else tell(`${JSON.stringify(text)} is no address; a line is ${FORMS['address-pattern'].must}`);
  }
  const aliases = new Map(Object.entries(config.aliases));
  for (const { text, tell } of await lines('aliasesFile', config.aliasesFile)) {
    const alias = aliasOf(text);
    if (alias === null) tell('an alias is an address, a colon, and addresses with commas between');
    else if (aliases.has(alias[0])) tell(`${alias[0]} is there twice`);
    else aliases.set(...alias);
  }
  const lists = new Map<string, { readonly members: readonly string[]; readonly owner: string }>();
  for (const [address, { members, membersFile, owner }] of Object.entries(config.lists)) {
    const all = [...members];
    for (const { text, tell } of await lines(`lists.${address}.membersFile`, membersFile)) {
      if (FORMS.address.fits(text)) all.push(text);
      else tell(`${JSON.stringify(text)} is no address`);
    }
    if (all.length === 0) problems.push({ path: `lists.${address}`, text: `lists.${address} has no members` });
    lists.set(address, { members: all, owner });
  }
  const entries = { hostname, postmaster, domains, recipients, aliases, lists };
  const directory = new Directory(subaddress === undefined ? entries : { ...entries, subaddress });
  const strangers = [...recipients, ...aliases.keys()].filter((address) => !directory.isLocal(address.slice(address.lastIndexOf('@') + 1)));
  for (const address of strangers) problems.push({ path: 'domains', text: `${address} is of a domain that is none of domains` });
  for (const text of directory.problems()) problems.push({ path: text.startsWith('postmaster') ? 'postmaster' : 'aliases', text });
  if (problems.length > 0) throw new ConfigError(problems);
  return new Policy(config, directory, isUser);
}

/** A file that a configuration names. Throws `ConfigError`, which names the option. */
export async function readNamed(path: string, file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? 'is not there' : code === 'EACCES' ? 'may not be read by this user' : `can not be read: ${message}`;
    throw new ConfigError([{ path, text: `${path}: the file ${file} ${why}` }]);
  }
}

/** A secret; it is in nothing that is thrown. Of a file the first line counts. */
export async function readSecret(path: string, place: SecretPlace): Promise<string> {
  const value = 'file' in place ? (await readNamed(path, place.file)).split(/\r?\n/, 1)[0]! : process.env[place.env];
  if (value !== undefined && value !== '') return value;
  const where = 'file' in place ? `the first line of ${place.file}` : `the environment variable ${place.env}`;
  throw new ConfigError([{ path, text: `${path}: ${where} is ${value === undefined ? 'not set' : 'empty'}` }]);
}

interface Line {
  readonly text: string;
  readonly tell: (what: string) => void;
}

/** The lines of a file; empty ones, and those that begin with `#`, say nothing. */
async function linesOf(path: string, file: string | undefined, problems: ConfigProblem[]): Promise<readonly Line[]> {
  if (file === undefined) return [];
  try {
    const all = (await readNamed(path, file)).split(/\r?\n/);
    return all.flatMap((line, i) => {
      const text = line.trim();
      const tell = (what: string): void => void problems.push({ path, text: `${path}: ${file}, line ${i + 1}: ${what}` });
      return text === '' || text.startsWith('#') ? [] : [{ text, tell }];
    });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    problems.push(...error.problems);
    return [];
  }
}

function aliasOf(text: string): [string, readonly string[]] | null {
  // The colon of an alias is the first one after an address, which may have one in quotes or in a literal.
  for (let at = text.indexOf(':'); at >= 0; at = text.indexOf(':', at + 1)) {
    const address = text.slice(0, at).trim();
    const to = text
      .slice(at + 1)
      .split(',')
      .map((one) => one.trim());
    if (FORMS.address.fits(address) && to.every(FORMS.address.fits)) return [address, to];
  }
  return null;
}
