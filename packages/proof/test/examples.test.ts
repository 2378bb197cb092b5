// Every example in a public docstring runs and compiles, and every public function and class has a docstring.
//
//     /** … @example
//      * ```ts
//      * import { parseMailbox } from '@ehlo/grammar';
//      * parseMailbox('a@b.example').local // → 'a'
//      * ```
//      */
//
// `// → value` after an expression or a declaration, on its line or the next, is asserted deeply equal.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { posix } from 'node:path';
import { describe, expect, test } from 'vitest';
import { isNode, packages, parse, root, type SyntaxNode, sources, text } from './house.ts';

interface Example {
  readonly title: string;
  readonly code: string;
}

const DOCUMENTED = [
  'packages/grammar',
  'packages/message',
  'packages/delivery',
  'packages/relay',
  'packages/engine',
  'packages/sasl',
  'packages/driver',
  'packages/testing',
];
/** Pages whose blocks of TypeScript are examples, too. */
const PAGES = [
  'packages/engine/CLIENT.md',
  'packages/engine/SERVER.md',
  'packages/grammar/README.md',
  'packages/delivery/README.md',
  'packages/relay/README.md',
  'packages/message/README.md',
  'packages/testing/README.md',
];
// An ignored folder: examples are written there as modules, so that vite and the compiler take them as they take any source.
const OUT = 'packages/proof/.results/examples';

// A tag begins its line: an address such as joe@example.org is none.
const TAG = /^[ \t]*(?:\/\*)?\*[ \t]*@example(?![\w.])/gm;

const examples = [...DOCUMENTED.flatMap((folder) => sources(folder).flatMap(examplesOf)), ...PAGES.flatMap(blocksOf)];
const modules = examples.map(({ title, code }) => ({ title, file: store(moduleOf(code), 'ts') }));

describe.runIf(modules.length > 0)('examples', () => {
  test.each(modules)('$title', async ({ file }) => {
    await import(/* @vite-ignore */ `${root}${OUT}/${file}`);
  });

  test('compile', () => {
    const compilerOptions = { rootDir: '../../../..', rewriteRelativeImportExtensions: false, allowImportingTsExtensions: true };
    const config = { extends: '../../tsconfig.test.json', compilerOptions, include: [], files: modules.map(({ file }) => file) };
    expect(compile(store(JSON.stringify(config), 'json'))).toBe('');
  });
});

describe.each(['packages/grammar', 'packages/delivery', 'packages/relay', 'packages/engine', 'packages/sasl', 'packages/testing'])(
  'public functions and classes of %s',
  (folder) => {
    const documented = [...exported(`${folder}/src/index.ts`)];

    test.runIf(documented.length > 0)('have a docstring', () => {
      expect(documented.filter(([, { docstring }]) => !docstring).map(([name, { file }]) => `${name} in ${file}`)).toEqual([]);
    });
  },
);

function examplesOf(file: string): Example[] {
  const source = text(file);
  const found: Example[] = [];
  for (const { 0: comment, index } of source.matchAll(/\/\*\*[\s\S]*?\*\//g)) {
    const tags = [...comment.matchAll(TAG)].map((match) => match.index);
    for (const [i, from] of tags.entries()) {
      const fenced = /```ts\n([\s\S]*?)```/.exec(comment.slice(from, tags[i + 1]))?.[1]?.replace(/^[ \t]*\* ?/gm, '');
      const code = fenced ?? "throw new Error('@example without a ```ts block');\n";
      found.push({ title: `${file}:${source.slice(0, index + from).split('\n').length}`, code });
    }
  }
  return found;
}

/** The blocks of TypeScript of a page. */
function blocksOf(file: string): Example[] {
  const source = text(file);
  return Array.from(source.matchAll(/^```ts\n([\s\S]*?)^```/gm), ({ 1: code, index }) => {
    return { title: `${file}:${source.slice(0, index).split('\n').length}`, code: code! };
  });
}

/** Keeps a text under the name of its content: runs side by side write the same, and never under each other's hands. */
function store(content: string, extension: string): string {
  const name = `${createHash('sha256').update(content).digest('hex').slice(0, 16)}.${extension}`;
  mkdirSync(root + OUT, { recursive: true });
  if (!existsSync(`${root}${OUT}/${name}`)) writeFileSync(`${root}${OUT}/${name}`, content);
  return name;
}

/** The example with its arrows as assertions and its imports pointing at the sources of this workspace. */
function moduleOf(code: string): string {
  const edits: { start: number; end: number; text: string }[] = [];
  let asserted = 0;
  for (const statement of statements(code)) {
    const arrow = /^;?[ \t]*\n?[ \t]*\/\/ → (.+(?:\n[ \t]*\/\/ {3,}.+)*)/.exec(code.slice(statement.end));
    const subject = subjectOf(statement, code);
    if (isNode(statement.source)) edits.push(redirect(statement.source));
    if (arrow?.[1] === undefined || subject === undefined) continue;
    const value = arrow[1].replace(/\n[ \t]*\/\//g, '\n');
    edits.push({ ...subject.replaced, text: `${subject.before}expect(${subject.expression}).toEqual(${value});\n` });
    asserted++;
  }
  const written = code.match(/\/\/ →/g)?.length ?? 0;
  const missed = written === asserted ? '' : `throw new Error('${written - asserted} of ${written} arrows follow no expression');\n`;
  return `import { expect } from 'vitest';\n${applyEdits(code, edits)}\n${missed}export {};\n`;
}

function statements(code: string): readonly SyntaxNode[] {
  try {
    return parse(code).body as SyntaxNode[];
  } catch {
    // The module is written as it is, and its own test fails with the position of the mistake.
    return [];
  }
}

function subjectOf(statement: SyntaxNode, code: string) {
  const { start, end } = statement;
  if (statement.type === 'ExpressionStatement') {
    const { start: from, end: to } = statement.expression as SyntaxNode;
    return { expression: code.slice(from, to), before: '', replaced: { start, end } };
  }
  if (statement.type !== 'VariableDeclaration') return undefined;
  const [declarator] = statement.declarations as SyntaxNode[];
  const { id } = declarator as unknown as { id: SyntaxNode };
  if (id.type !== 'Identifier') return undefined;
  return { expression: String(id.name), before: '\n', replaced: { start: end, end } };
}

function redirect(source: SyntaxNode): { start: number; end: number; text: string } {
  const target = packages.find(({ manifest }) => manifest.name === source.value);
  const path = target ? `${posix.relative(OUT, target.folder)}/src/index.ts` : String(source.value);
  return { start: source.start, end: source.end, text: `'${path}'` };
}

function applyEdits(code: string, edits: { start: number; end: number; text: string }[]): string {
  const lastFirst = [...edits].sort((a, b) => b.start - a.start);
  return lastFirst.reduce((rest, edit) => rest.slice(0, edit.start) + edit.text + rest.slice(edit.end), code);
}

/** The compiler's complaints about the examples; about the sources themselves it complains in their own packages. */
function compile(config: string): string {
  try {
    return execFileSync(process.execPath, [`${root}node_modules/typescript/bin/tsc`, '-p', `${root}${OUT}/${config}`], {
      encoding: 'utf8',
    });
  } catch (error) {
    const output = String((error as { stdout?: string }).stdout);
    const ours = output.split('\n').filter((line) => line.includes(posix.basename(OUT)));
    return output.includes('error TS') ? ours.join('\n') : output;
  }
}

interface Exported {
  readonly file: string;
  readonly kind: 'function' | 'class';
  readonly docstring: boolean;
}

/** What a module exports, followed through `export … from`. */
function exported(file: string): Map<string, Exported> {
  const source = text(file);
  const body = parse(source).body as SyntaxNode[];
  const local = declared(file, source, body);
  const found = new Map<string, Exported>();
  for (const statement of body.filter(({ type }) => type.startsWith('Export'))) {
    const from = isNode(statement.source) ? posix.join(posix.dirname(file), String(statement.source.value)) : undefined;
    const names = from === undefined ? local : from.endsWith('.ts') ? exported(from) : new Map<string, Exported>();
    if (statement.type === 'ExportAllDeclaration') for (const [name, value] of names) found.set(name, value);
    if (statement.type !== 'ExportNamedDeclaration') continue;
    for (const specifier of statement.specifiers as { local: SyntaxNode; exported: SyntaxNode }[]) {
      const value = names.get(String(specifier.local.name));
      if (value) found.set(String(specifier.exported.name), value);
    }
    const name = isNode(statement.declaration) ? nameOf(statement.declaration) : undefined;
    const value = name === undefined ? undefined : local.get(name);
    if (name !== undefined && value) found.set(name, value);
  }
  return found;
}

/** The functions and classes that a module declares, exported on the spot or not. */
function declared(file: string, source: string, body: readonly SyntaxNode[]): Map<string, Exported> {
  const found = new Map<string, Exported>();
  for (const statement of body) {
    const declaration = isNode(statement.declaration) ? statement.declaration : statement;
    const [name, kind] = [nameOf(declaration), kindOf(declaration)];
    const docstring = /\/\*\*(?:(?!\*\/)[\s\S])*\*\/\s*$/.test(source.slice(0, statement.start));
    // An overload's first signature carries the docstring of them all.
    if (name !== undefined && kind !== undefined && !found.get(name)?.docstring) found.set(name, { file, kind, docstring });
  }
  return found;
}

function nameOf({ id }: SyntaxNode): string | undefined {
  return isNode(id) ? String(id.name) : undefined;
}

function kindOf({ type }: SyntaxNode): Exported['kind'] | undefined {
  if (type === 'FunctionDeclaration' || type === 'TSDeclareFunction') return 'function';
  return type === 'ClassDeclaration' ? 'class' : undefined;
}
