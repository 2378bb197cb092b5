// The package @ehlo/test-vectors: all that git has in its folder, JSON and the README alone; and what is known of the coming revision of RFC 5321.
import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { type JsonSchema, violations } from '../src/vectors/index.ts';
import { json, root } from './house.ts';

const FOLDER = `${root}test-vectors`;

test('everything is packed, and nothing but JSON and the README', () => {
  const [pack] = JSON.parse(execFileSync('npm', ['pack', '--dry-run', '--json'], { cwd: FOLDER, encoding: 'utf8' })) as [
    { name: string; files: { path: string }[] },
  ];
  const tracked = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: FOLDER, encoding: 'utf8' });
  const packed = pack.files.map(({ path }) => path).sort();
  expect(packed).toEqual(
    tracked
      .split('\0')
      .filter((file) => file !== '')
      .sort(),
  );
  expect(packed.filter((file) => !/\.json$|^README\.md$|^CHANGELOG\.md$/.test(file))).toEqual([]);
});

test('it asks for no program and no other package', () => {
  const manifest = json<{ name: string; private?: boolean; dependencies?: object; engines?: object }>('test-vectors/package.json');
  expect(manifest).toMatchObject({ name: '@ehlo/test-vectors', publishConfig: { access: 'public' } });
  expect([manifest.private, manifest.dependencies, manifest.engines]).toEqual([undefined, undefined, undefined]);
});

test('emailcore.json keeps to its schema, and speaks of sections that there are', () => {
  const emailcore = json<{ same: { section: string }[] }>('test-vectors/emailcore.json');
  expect(violations(emailcore as never, json<JsonSchema>('test-vectors/schema/emailcore.schema.json'))).toEqual([]);
  const { requirements } = json<{ requirements: { rfc: number; section: string }[] }>('test-vectors/requirements.json');
  const sections = new Set(requirements.filter(({ rfc }) => rfc === 5321).map(({ section }) => section));
  expect(emailcore.same.map(({ section }) => section).filter((section) => !sections.has(section))).toEqual([]);
});
