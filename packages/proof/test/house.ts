// What the house tests read: packages, source files, and their syntax trees (oxc, by way of vite).
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseAst } from 'vitest/node';

export interface Manifest {
  name: string;
  private?: boolean;
  type?: string;
  sideEffects?: unknown;
  license?: string;
  engines?: Record<string, string>;
  imports?: Record<string, Record<string, string>>;
  exports?: Record<string, Record<string, string>>;
  publishConfig?: { access?: string; exports?: Record<string, Record<string, string>> };
  files?: string[];
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
}

export interface Package {
  readonly folder: string;
  readonly manifest: Manifest;
}

export interface SyntaxNode {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}

export const root: string = fileURLToPath(new URL('../../../', import.meta.url));

export const packages: readonly Package[] = readdirSync(`${root}packages`, { withFileTypes: true })
  .filter((entry) => existsSync(`${root}packages/${entry.name}/package.json`))
  .map(({ name }) => ({ folder: `packages/${name}`, manifest: json<Manifest>(`packages/${name}/package.json`) }));

export function text(path: string): string {
  return readFileSync(root + path, 'utf8');
}

export function json<T>(path: string): T {
  return JSON.parse(text(path)) as T;
}

/** The TypeScript files of one package's src, or of another of its folders, as paths from the root. */
export function sources(folder: string, under: 'src' | 'test' = 'src'): string[] {
  const path = `${folder}/${under}`;
  if (!existsSync(root + path)) return [];
  return readdirSync(root + path, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .sort()
    .map((name) => `${path}/${name.replaceAll('\\', '/')}`);
}

export function parse(source: string): SyntaxNode {
  return parseAst(source, { lang: 'ts' }) as unknown as SyntaxNode;
}

/** Every node of a tree, parents first. */
export function* walk(node: SyntaxNode): Generator<SyntaxNode> {
  yield node;
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value]) if (isNode(child)) yield* walk(child);
  }
}

/** What a tree imports, by `import`, `export … from`, `import()` or a type's `import()`. */
export function imports(tree: SyntaxNode): string[] {
  const found: string[] = [];
  for (const { source, type } of walk(tree)) {
    if (!isNode(source) || !/^(Import|Export|TSImport)/.test(type)) continue;
    // A computed import cannot be judged: it is reported as what it is, and no arrow allows it.
    found.push(typeof source.value === 'string' ? source.value : '(computed)');
  }
  return found;
}

export function isNode(value: unknown): value is SyntaxNode {
  return typeof value === 'object' && value !== null && typeof (value as SyntaxNode).type === 'string';
}

/** `@ehlo/engine/x` → `@ehlo/engine`. */
export function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}
