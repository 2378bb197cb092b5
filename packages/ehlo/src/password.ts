import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';

/** There is no password; the text says how to give one, and never what it is. */
class PasswordError extends Error {}

/** The password of a user: from a file, from EHLO_PASSWORD, or from the terminal. Never from an argument, which other users can see. */
export async function findPassword(user: string, file: string | undefined): Promise<string> {
  if (file !== undefined) return readPassword(file, '--auth-password-file');
  const { EHLO_PASSWORD: password } = process.env;
  if (password !== undefined) return password;
  if (!process.stdin.isTTY) throw new PasswordError('there is no password: set EHLO_PASSWORD, or give --auth-password-file');
  return await ask(`password of ${user}: `);
}

/** The first line of a file that an option names. */
export function readPassword(file: string, option: string): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new PasswordError(`${option}: ${(error as Error).message}`);
  }
  const [first = ''] = text.split(/\r?\n/, 1);
  if (first === '') throw new PasswordError(`${option}: the first line of ${file} is empty`);
  return first;
}

/** What is typed is not shown. */
async function ask(question: string): Promise<string> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  // From here on the terminal shows no input: the question comes after it, so that a fast answer is hidden, too.
  const reader = createInterface({ input: process.stdin, output: nowhere, terminal: true });
  reader.on('SIGINT', () => process.exit(130));
  process.stderr.write(question);
  const answer = await reader.question('');
  reader.close();
  process.stderr.write('\n');
  return answer;
}
