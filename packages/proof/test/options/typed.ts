// The types of the options, by the sections: a module that names every option, where an editor shows its words, and one that gives each what is
// wrong, which the compiler has to refuse.
import type { OptionKind } from '../../../engine/src/index.ts';
import { SECTIONS, type Section } from './sections.ts';
import { misspelt } from './wrong-values.ts';

/** The type of each section's options. */
const TYPES: { readonly [title: string]: string } = {
  serve: 'ServeOptions',
  'serve: auth': 'Authentication',
  'serve: limits': "NonNullable<ServeOptions['limits']>",
  'serve: smallLimits': "NonNullable<ServeOptions['smallLimits']>",
  'serve: tls': 'TlsSettings',
  'serve: tls.certificates': 'Certificate',
  'serve: proxy': 'ProxyOptions',
  'serve: trusted': "NonNullable<ServeOptions['trusted']>",
  'serve: futureRelease': "NonNullable<ServeOptions['futureRelease']>",
  'serve: mtPriority': "NonNullable<ServeOptions['mtPriority']>",
  'server.close': 'CloseOptions',
  reject: 'RejectOptions',
  command: 'CommandOptions',
  serveOn: 'ServeOnOptions',
  ServerSession: 'ServerOptions',
  'ServerSession: auth': "NonNullable<ServerOptions['auth']>",
  connect: 'ConnectOptions',
  'connect: auth': "NonNullable<ConnectOptions['auth']>",
  'connect: limits': "NonNullable<ConnectOptions['limits']>",
  'connect: tls': "NonNullable<ConnectOptions['tls']>",
  connectOn: 'ConnectOnOptions',
  ClientSession: 'ClientOptions',
  Pool: 'PoolOptions',
  'Pool: pace': 'PaceOptions',
  'pool.close': 'PoolCloseOptions',
  send: 'SendOptions',
  'send: envelope': 'SendEnvelope',
  'send: envelope.recipients': 'ClientRecipient',
  'send: parameters of MAIL': 'MailParameters',
  'send: parameters of RCPT': 'RcptParameters',
  'send: facts': "NonNullable<SendOptions['facts']>",
  scram: 'ScramOptions',
  scramKeys: 'KeyOptions',
  'oauthBearer, xoauth2': 'OauthOptions',
};

/** `packages` is the folder of the packages, from where the module will stand. */
const importsFrom = (packages: string): string => `
import type { ConnectOptions as ConnectOnOptions, ProxyOptions, ServeOptions as ServeOnOptions } from '${packages}/driver/src/index.ts';
import type { ClientOptions, ClientRecipient, CommandOptions, ServerOptions } from '${packages}/engine/src/index.ts';
import type { MailParameters, RcptParameters } from '${packages}/grammar/src/index.ts';
import type {
  Authentication, Certificate, CloseOptions, ConnectOptions, PaceOptions, PoolCloseOptions, PoolOptions, RejectOptions, SendEnvelope, SendOptions, ServeOptions,
  TlsSettings,
} from '${packages}/node/src/index.ts';
import type { KeyOptions, OauthOptions, ScramOptions } from '${packages}/sasl/src/index.ts';
`;

/** What a scan finds beside what `facts` asks for is taken, and has no type of its own there. */
const UNTYPED: ReadonlySet<string> = new Set(['bareCr', 'bareLf', 'nul', 'longestLine']);

function* rows(): Generator<{ section: Section; type: string; name: string; kind: OptionKind }> {
  for (const section of SECTIONS) {
    const type = TYPES[section.title];
    if (type === undefined) throw new Error(`say in packages/proof/test/options/typed.ts of what type the options of ${section.title} are`);
    for (const name of Object.keys(section.table ?? section.words)) {
      if (section.title !== 'send: facts' || !UNTYPED.has(name)) yield { section, type, name, kind: section.table?.[name] ?? 'any' };
    }
  }
}

/** A module that names every option, and where: its line, and the column of the name. */
export function shownModule(packages: string): { readonly text: string; readonly places: readonly Place[] } {
  const lines = importsFrom(packages).split('\n');
  const places: Place[] = [];
  for (const { section, type, name } of rows()) {
    places.push({ section, name, line: lines.length, character: `(0 as unknown as ${type}).`.length });
    lines.push(`(0 as unknown as ${type}).${name};`);
  }
  return { text: lines.join('\n'), places };
}

export interface Place {
  readonly section: Section;
  readonly name: string;
  readonly line: number;
  readonly character: number;
}

/** A module that is full of mistakes, each of which the compiler has to find. */
export function wrongModule(packages: string): string {
  let count = 0;
  const lines = [importsFrom(packages)];
  for (const { type, name, kind } of rows()) {
    lines.push('// @ts-expect-error', `export const v${++count}: Partial<${type}> = { ${misspelt(name)}: undefined };`);
    for (const value of wrongFor(kind)) lines.push('// @ts-expect-error', `export const v${++count}: ${type}['${name}'] = ${value};`);
    // The words of the table are all that the type has.
    if (isWords(kind))
      lines.push(
        `export const v${++count} = (one: NonNullable<${type}['${name}']>): ${kind.map((word) => `'${word}'`).join(' | ')} => one;`,
      );
  }
  return lines.join('\n');
}

function wrongFor(kind: OptionKind): readonly string[] {
  if (typeof kind === 'string') return [KINDS[kind]];
  if (!Array.isArray(kind)) return ['5'];
  if (isWords(kind)) return ['true', `'${misspelt(kind[0]!)}'`];
  return typeof kind[0] === 'number' ? ["'5'"] : ["'a'", "['aa']"];
}

/** A value that is wrong for each kind. A symbol is wrong for everything. */
const KINDS: { readonly [kind in Extract<OptionKind, string>]: string } = {
  switch: "'yes'",
  string: '5',
  text: '5',
  number: "'5'",
  list: "'a'",
  values: "['a']",
  set: "['a']",
  call: '{}',
  object: 'true',
  signal: '{}',
  any: 'Symbol()',
  given: 'Symbol()',
};

function isWords(kind: OptionKind): kind is readonly string[] {
  return Array.isArray(kind) && typeof kind[0] === 'string';
}
