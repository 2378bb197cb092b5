import { readFile } from 'node:fs/promises';
import {
  type ClientTranscript,
  joined,
  type Octets,
  replayClientTranscript,
  replayTranscript,
  type Transcript,
  TranscriptMismatch,
  variants,
} from '@ehlo/proof/vectors';
import { colours } from './colours.ts';
import { messageOf } from './error-message.ts';
import { jsonLine } from './json-line.ts';
import { MessageError } from './send-message.ts';

/** The options of `ehlo replay`. */
export interface ReplayCommandOptions {
  readonly only?: string;
  readonly ways: boolean;
  readonly quiet: boolean;
  readonly json: boolean;
}

/** What is wrong with a file of transcripts; the message says it all. */
export class TranscriptError extends Error {}

type Any = Transcript | ClientTranscript;

const STEPS: { readonly [role in Any['role']]: ReadonlySet<string> } = {
  server: new Set(
    'in end lost accept reject challenge discard secured shutdown stall tick out event chunk unsayable state wants deadline'.split(' '),
  ),
  client: new Set(
    'in end lost tick secured stall send write finish abort command quit starttls authenticate respond cancel out event unsayable state wants deadline'.split(
      ' ',
    ),
  ),
};

/** Shows the transcripts of a file step by step, and replays them. Resolves to whether all came out as written. */
export async function replayCommand(file: string, options: ReplayCommandOptions, write: (line: string) => void): Promise<boolean> {
  const text = await readFile(file, 'utf8').catch((error: Error) => {
    throw new MessageError(`${file} can't be read: ${error.message}`);
  });
  const all = transcriptsOf(text, file);
  const chosen = options.only === undefined ? all : all.filter(({ name }) => name === options.only);
  if (chosen.length === 0)
    throw new TranscriptError(`${file} has no transcript ${options.only}; it has: ${all.map(({ name }) => name).join(', ')}`);
  let differing = 0;
  for (const transcript of chosen) {
    const found = replay(transcript, options.ways);
    if (found !== null) differing++;
    if (options.json) write(jsonLine(resultOf(transcript, found)));
    else if (!options.quiet || found !== null) show(transcript, found, write);
  }
  if (!options.json) write(`${chosen.length} transcripts, ${differing === 0 ? 'all as written' : `${differing} not as written`}`);
  return differing === 0;
}

/** Where a transcript comes out otherwise, in one way of replaying it or in all. */
function replay(transcript: Any, ways: boolean): TranscriptMismatch | null {
  try {
    if (transcript.role === 'client')
      for (const way of ways ? (['whole', 'lines', 'octets'] as const) : (['whole'] as const)) replayClientTranscript(transcript, way);
    else for (const way of ways ? variants(transcript) : [{}]) replayTranscript(transcript, way);
    return null;
  } catch (error) {
    if (error instanceof TranscriptMismatch) return error;
    throw new TranscriptError(`${transcript.name} can't be replayed: ${messageOf(error)}`);
  }
}

function resultOf({ name, role, steps }: Any, found: TranscriptMismatch | null): object {
  const result = { name, role, steps: steps.length, asWritten: found === null };
  return found === null ? result : { ...result, step: found.step, difference: found.difference };
}

/** RFC 8259, or a JSON object a line; a vector's file, or transcripts by themselves. */
function transcriptsOf(text: string, file: string): readonly Any[] {
  const whole = parsed(text);
  const values = whole === undefined ? lines(text, file) : [whole];
  return values
    .flatMap((value) => {
      const { transcripts } = value as { transcripts?: unknown };
      return Array.isArray(transcripts) ? transcripts : [value];
    })
    .map((value: unknown, i) => checked(value, `${file}, transcript ${i + 1}`));
}

function lines(text: string, file: string): readonly unknown[] {
  return text.split('\n').flatMap((line, i) => {
    if (line.trim() === '') return [];
    const value = parsed(line);
    if (value === undefined) throw new TranscriptError(`${file}:${i + 1} is no JSON`);
    return [value];
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Whether it is a transcript as far as it can be shown; what is odd in a step is told when it is replayed. */
function checked(value: unknown, where: string): Any {
  if (typeof value !== 'object' || value === null) throw new TranscriptError(`${where}: is no object`);
  const { name, role, options, steps } = value as { readonly [name: string]: unknown };
  if (role !== 'server' && role !== 'client')
    throw new TranscriptError(`${where}: role is server or client; is this a file of transcripts?`);
  if (typeof name !== 'string' || typeof options !== 'object' || options === null || !Array.isArray(steps))
    throw new TranscriptError(`${where}: a transcript has a name, options and steps`);
  for (const [i, step] of steps.entries()) {
    const names = typeof step === 'object' && step !== null ? Object.keys(step) : [];
    if (!names.some((one) => STEPS[role].has(one)))
      throw new TranscriptError(`${where}, step ${i + 1}: ${names.join(', ') || 'it'} is no step of a ${role}`);
  }
  return value as Any;
}

const { bold, cyan, dim, green, magenta, red, yellow } = colours;

/** The steps, up to one that comes out otherwise. */
function show(transcript: Any, found: TranscriptMismatch | null, write: (line: string) => void): void {
  write(bold(plain(transcript.name)));
  write(dim(`  ${plain(transcript.why ?? '')}`));
  const last = found?.step ?? transcript.steps.length;
  for (const [i, step] of transcript.steps.slice(0, last).entries()) {
    const wrong = i + 1 === found?.step;
    for (const [n, line] of linesOf(step, transcript.role).entries())
      write(`${wrong && n === 0 ? red('✗') : ' '} ${n === 0 ? dim(String(i + 1).padStart(4)) : '    '} ${line}`);
  }
  if (found !== null) {
    if (found.step > transcript.steps.length) write(`${red('✗')} ${dim(String(found.step).padStart(4))} ${dim('there is no such step')}`);
    for (const line of found.difference.split(/, (?=got )/)) write(red(`       ${plain(line)}`));
  } else write(green('  as written'));
  write('');
}

/** A step as it is read by people: the client is C, the server S, whatever side the transcript is of. */
function linesOf(step: object, role: Any['role']): readonly string[] {
  const [name = '', value] = Object.entries(step).find(([key]) => STEPS[role].has(key))!;
  if (name === 'in' || name === 'out') {
    const client = (name === 'in') === (role === 'server');
    const side = client ? cyan('C:') : magenta('S:');
    return octetLines(joined(value as Octets)).map((line) => `${side} ${line}`);
  }
  if (name === 'chunk' || name === 'write') return octetLines(joined(value as Octets)).map((line) => `${dim('|')} ${line}`);
  if (name === 'tick') return [dim(`${value} ms pass`)];
  if (name === 'event') {
    const { type, ...rest } = value as { type: string };
    return [`${yellow(plain(type))}${Object.keys(rest).length === 0 ? '' : ` ${dim(plain(JSON.stringify(rest)))}`}`];
  }
  return [`${green(name)}${value === true ? '' : ` ${plain(JSON.stringify(value))}`}`];
}

/** Lines of octets that are shown of one step. */
const LINES = 50;

function octetLines(text: string): readonly string[] {
  const all = text.split(/(?<=\n)/).map((line) => plain(line.replace(/\r\n$/, '')));
  return all.length <= LINES ? all : [...all.slice(0, LINES), dim(`and ${all.length - LINES} more lines`)];
}

const WIDE = 200;

/** What a peer has sent goes to a terminal: printable ASCII, and no more of it than fits. */
function plain(text: string): string {
  const shown = text.slice(0, WIDE).replaceAll(/[^ -~]/g, (character) => {
    const code = character.charCodeAt(0);
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
  });
  return text.length > WIDE ? `${shown}…` : shown;
}
