// The rules of the house that no compiler holds: arrows between packages, manifests, the shape of sources.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { posix } from 'node:path';
import { describe, expect, test } from 'vitest';
import { imports, json, type Package, packageOf, packages, parse, root, type SyntaxNode, sources, text, walk } from './house.ts';

const EVERYTHING = '*';

/** What each package may import of its neighbours; a new package starts with its row here. */
const ARROWS: Record<string, readonly string[]> = {
  '@ehlo/grammar': [],
  '@ehlo/message': ['@ehlo/grammar'],
  '@ehlo/delivery': ['@ehlo/grammar', '@ehlo/message'],
  // The features of a client and the parameters of an envelope are the engine's and the grammar's; `serve`, `connect` are given to it.
  '@ehlo/relay': ['@ehlo/delivery', '@ehlo/driver', '@ehlo/engine', '@ehlo/grammar', '@ehlo/message'],
  '@ehlo/engine': ['@ehlo/grammar'],
  '@ehlo/sasl': [],
  // The engine's own types speak in the grammar's.
  '@ehlo/driver': ['@ehlo/engine', '@ehlo/grammar'],
  // TlsInfo, which an adapter fills in, is the engine's.
  '@ehlo/node': ['@ehlo/driver', '@ehlo/engine'],
  // What they do by node:tls is there already.
  '@ehlo/deno': ['@ehlo/driver', '@ehlo/node'],
  '@ehlo/bun': ['@ehlo/driver', '@ehlo/engine', '@ehlo/node'],
  // How connections are listened for, and mechanisms, are given to it.
  '@ehlo/testing': ['@ehlo/driver', '@ehlo/engine', '@ehlo/grammar', '@ehlo/message'],
  // A server is what answers: nothing of ours stands between it and the checks.
  '@ehlo/conform': [],
  // A message as a tree is what `ehlo message` makes; how a mail is passed on is given to it, too.
  '@ehlo/web': ['@ehlo/driver', '@ehlo/engine', '@ehlo/message', '@ehlo/testing'],
  '@ehlo/proof': ['@ehlo/delivery', '@ehlo/engine', '@ehlo/grammar'],
  ehlo: [EVERYTHING],
  bench: [EVERYTHING],
};

/** Files that load what a user names: their imports are computed. */
const LOADERS = ['packages/ehlo/src/sign-module.ts'];

/** No third-party package and no module of any runtime. */
const PURE = ['@ehlo/grammar', '@ehlo/message', '@ehlo/delivery', '@ehlo/engine', '@ehlo/driver'];

const names = new Set(packages.map(({ manifest }) => manifest.name));
const publishable = packages.filter(({ manifest }) => manifest.private !== true);
const byName = packages.map((pkg): [string, Package] => [pkg.manifest.name, pkg]);

describe.each(byName)('arrows of %s', (name, { folder, manifest }) => {
  const allowed = ARROWS[name];
  const asked = sources(folder).flatMap((file) => imports(parse(text(file))).map((specifier) => ({ file, specifier })));
  const runtimeDependencies = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies });

  test('the package has its row', () => {
    expect(allowed, `add ${name} to ARROWS`).toBeDefined();
  });

  test('imports in src', () => {
    const isLoader = ({ file, specifier }: (typeof asked)[number]): boolean => specifier === '(computed)' && LOADERS.includes(file);
    const outside = asked.filter((one) => !one.specifier.startsWith('.') && !isLoader(one));
    const targets = outside.flatMap(({ file, specifier }) => behind(specifier, manifest).map((target) => ({ file, target })));
    expect(targets.filter(({ target }) => !mayImport(name, packageOf(target), runtimeDependencies))).toEqual([]);
  });

  test('dependencies in package.json', () => {
    const wrong = runtimeDependencies.filter((dependency) => (names.has(dependency) ? !points(name, dependency) : PURE.includes(name)));
    expect(wrong).toEqual([]);
  });

  test('neighbours are named workspace:*, and the compiler knows them as references', () => {
    const neighbours = Object.entries(manifest.dependencies ?? {}).filter(([dependency]) => names.has(dependency));
    expect(neighbours.filter(([, version]) => version !== 'workspace:*')).toEqual([]);
    // One that is installed beside may be of any release: a range of its own would make each of its releases a major one of this package.
    const beside = Object.entries(manifest.peerDependencies ?? {}).filter(([dependency]) => names.has(dependency));
    expect(beside.filter(([dependency, version]) => version !== '*' || manifest.devDependencies?.[dependency] !== 'workspace:*')).toEqual(
      [],
    );
    const { references = [] } = json<{ references?: { path: string }[] }>(`${folder}/tsconfig.json`);
    const folders = [...neighbours, ...beside].map(([dependency]) => packages.find((pkg) => pkg.manifest.name === dependency)?.folder);
    expect(references.map(({ path }) => posix.join(folder, path)).sort()).toEqual(folders.sort());
  });

  test('relative imports end with .ts and stay inside src', () => {
    const relative = asked.filter(({ specifier }) => specifier.startsWith('.'));
    const strays = relative.filter(({ file, specifier }) => !posix.join(posix.dirname(file), specifier).startsWith(`${folder}/src/`));
    expect(relative.filter(({ specifier }) => !/\.(ts|json)$/.test(specifier))).toEqual([]);
    expect(strays).toEqual([]);
  });
});

describe.each(publishable.map((pkg): [string, Package] => [pkg.manifest.name, pkg]))('manifest of %s', (_, { folder, manifest }) => {
  test('is an ES module without side effects, under the same engine and licence', () => {
    const { type, sideEffects, license } = manifest;
    expect({ type, sideEffects, license }).toEqual({ type: 'module', sideEffects: false, license: 'MIT' });
    expect(manifest.engines).toEqual(json<{ engines: unknown }>('package.json').engines);
  });

  test('exports sources first, then types, then the build; publishes the same without the sources', () => {
    const exported = manifest.exports ?? {};
    expect(Object.keys(exported)).toContain('.');
    for (const [key, conditions] of Object.entries(exported)) {
      const path = conditions['@ehlo/source']?.replace(/^\.\/src\/|\.ts$/g, '');
      const esm = { types: `./dist/${path}.d.ts`, default: `./dist/${path}.js` };
      // What programs import can be required, too, where a loader knows no ES modules; but what stands on @ehlo/relay, which can not.
      const cjs = { types: `./dist/${path}.d.cts`, default: `./dist/${path}.cjs` };
      const built = manifest.name === 'ehlo' && key !== './relay' ? { 'module-sync': esm, bun: esm, import: esm, require: cjs } : esm;
      expect(JSON.stringify(conditions), key).toEqual(JSON.stringify({ '@ehlo/source': `./src/${path}.ts`, ...built }));
      expect(manifest.publishConfig?.exports?.[key], key).toEqual(built);
      expect(existsSync(`${root}${folder}/src/${path}.ts`), key).toBe(true);
    }
    expect(Object.keys(manifest.publishConfig?.exports ?? {})).toEqual(Object.keys(exported));
    expect(manifest.publishConfig?.access).toBe('public');
  });

  test('ships its build and its sources, and says what it is', () => {
    expect(manifest.files).toEqual(expect.arrayContaining(['dist', 'src', '!dist/.tsbuildinfo']));
    expect(existsSync(`${root}${folder}/README.md`)).toBe(true);
  });

  test('its pages lead to nothing that is not in the package', () => {
    const pages = readdirSync(root + folder).filter((name) => name.endsWith('.md') && name !== 'CHANGELOG.md');
    const shipped = ['README.md', ...(manifest.files ?? [])];
    const links = pages.flatMap((page) => [...text(`${folder}/${page}`).matchAll(/\]\((?!https?:)([^)#]+)|^\[.*\]: (?!https?:)(\S+)/gm)]);
    expect(links.map(([, inline, listed]) => inline ?? listed).filter((target) => !shipped.includes(target!))).toEqual([]);
    expect(pages.filter((page) => !shipped.includes(page))).toEqual([]);
  });
});

test('no two files import each other, by types either; tests neither', () => {
  const files = packages.flatMap(({ folder }) => [...sources(folder), ...sources(folder, 'test')]);
  const arrows = new Map(files.map((file) => [file, neighbours(file)]));
  expect(circles(arrows)).toEqual([]);
});

/** The files of the same package that a file imports. */
function neighbours(file: string): string[] {
  return imports(parse(text(file)))
    .filter((specifier) => specifier.startsWith('.'))
    .map((specifier) => posix.join(posix.dirname(file), specifier));
}

/** Files that reach themselves: each group of them, in which every file reaches every other. */
function circles(arrows: ReadonlyMap<string, readonly string[]>): readonly (readonly string[])[] {
  const reach = new Map([...arrows.keys()].map((file) => [file, reached(file, arrows)]));
  const groups = [...reach]
    .filter(([file, all]) => all.has(file))
    .map(([file, all]) => [...all].filter((other) => reach.get(other)?.has(file)).sort());
  return [...new Map(groups.map((group) => [group.join(), group])).values()];
}

function reached(from: string, arrows: ReadonlyMap<string, readonly string[]>): ReadonlySet<string> {
  const seen = new Set<string>();
  const queue = [...(arrows.get(from) ?? [])];
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    if (seen.has(file)) continue;
    seen.add(file);
    queue.push(...(arrows.get(file) ?? []));
  }
  return seen;
}

test.each(['@ehlo/grammar', '@ehlo/message', '@ehlo/delivery', '@ehlo/engine', '@ehlo/sasl'].filter((name) => names.has(name)))(
  '%s compiles with no I/O in sight',
  (name) => {
    const folder = packages.find(({ manifest }) => manifest.name === name)?.folder;
    type Config = { extends?: string; compilerOptions: { lib?: string[]; types?: string[] } };
    const own = json<Config>(`${folder}/tsconfig.json`);
    const base = json<Config>('tsconfig.base.json');
    const { lib, types } = { ...base.compilerOptions, ...own.compilerOptions };
    expect(own.extends).toBe('../../tsconfig.base.json');
    expect({ lib: lib?.map((entry) => entry.toLowerCase()), types }).toEqual({ lib: ['es2022'], types: [] });
  },
);

describe.each(packages.flatMap(({ folder }) => sources(folder)))('%s', (file) => {
  const source = text(file);

  test('uses no any, enum, default export or @ts-ignore', () => {
    const banned = ['TSAnyKeyword', 'TSEnumDeclaration', 'ExportDefaultDeclaration'];
    const found = [...walk(parse(source))].filter(({ type }) => banned.includes(type));
    expect(found.map(({ type, start }) => `${type} in line ${source.slice(0, start).split('\n').length}`)).toEqual([]);
    expect(/@ts-(ignore|nocheck)/.exec(source)?.[0]).toBeUndefined();
  });

  test('has at most 350 lines and a kebab-case name', () => {
    expect(source.trimEnd().split('\n').length).toBeLessThanOrEqual(350);
    expect(posix.basename(file, '.ts')).toMatch(/^[a-z0-9]+([-.][a-z0-9]+)*$/);
  });
});

/** What git tracks, or would. */
const files = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: root, encoding: 'utf8' })
  .split('\0')
  .filter((file) => file !== '' && existsSync(root + file));

test('each adapter exports the same names: they are what `ehlo` has, whatever the runtime', () => {
  const [node, deno, bun] = ['node', 'deno', 'bun'].map((adapter) => exportedNames(`packages/${adapter}/src/index.ts`));
  expect(deno).toEqual(node);
  expect(bun).toEqual(node);
  expect(node).toEqual(expect.arrayContaining(['ClientTls', 'ServerTls', 'connect', 'serve']));
});

test('these tests run again when anything that they read has changed', () => {
  const { tasks } = json<{ tasks: Record<string, { inputs: string[] }> }>('turbo.json');
  const inputs = tasks['@ehlo/proof#test']?.inputs ?? [];
  const known = inputs.flatMap((input) => /^\$TURBO_ROOT\$\/packages\/\*\/\{(.*)\}\/\*\*$/.exec(input)?.[1]?.split(',') ?? []);
  const folders = new Set(files.flatMap((file) => /^packages\/[^/]+\/([^/]+)\//.exec(file)?.[1] ?? []));
  expect(known).toEqual(expect.arrayContaining([...folders]));
});

test('no file mentions the folders of one machine', () => {
  const folders = new RegExp(`(?<![\\w.~-])/(?:${['work', 'root', 'home'].join('|')})/`);
  const guilty = files.filter((file) => {
    const content = text(file);
    return !content.includes('\0') && folders.test(content);
  });
  expect(guilty).toEqual([]);
});

/** The names that a module exports, types included; those that it passes on whole from another package as `* from`. */
function exportedNames(file: string): string[] {
  const names = (parse(text(file)).body as SyntaxNode[]).flatMap((statement) => {
    if (statement.type === 'ExportAllDeclaration') return [`* from ${(statement.source as SyntaxNode).value}`];
    return ((statement.specifiers ?? []) as { exported: SyntaxNode }[]).map(({ exported }) => String(exported.name));
  });
  return names.sort();
}

/** What a specifier stands for: one of the package's own, `#name`, for as many as it has conditions. */
function behind(specifier: string, { imports: own }: Package['manifest']): readonly string[] {
  return specifier.startsWith('#') ? Object.values(own?.[specifier] ?? { default: specifier }) : [specifier];
}

function mayImport(from: string, to: string, dependencies: string[]): boolean {
  if (to.startsWith('node:')) return !PURE.includes(from);
  // A package's own name is an import of itself: a relative path says so better.
  if (to === from) return false;
  return dependencies.includes(to) && (names.has(to) ? points(from, to) : !PURE.includes(from));
}

function points(from: string, to: string): boolean {
  const allowed = ARROWS[from] ?? [];
  return allowed.includes(EVERYTHING) || allowed.includes(to);
}
