import { expect, test } from 'vitest';
import { EXTENSIONS, octets, parseEhlo } from '../src/index.ts';

const read = (line: string): unknown => {
  const parsed = parseEhlo(octets(`250-mx.example\r\n250 ${line}\r\n`));
  if (!parsed.ok) throw new Error(parsed.message);
  const { keyword, parameters } = parsed.value.lines[0]!;
  return EXTENSIONS.find((extension) => extension.keyword === keyword)?.announcement.parse(parameters);
};

test.each([
  ['PIPELINING', true],
  ['SIZE', null],
  ['SIZE 0', 0],
  ['SIZE 35882577', 35_882_577],
  ['SIZE 99999999999999999999', Number.MAX_SAFE_INTEGER],
  ['AUTH plain SCRAM-SHA-256', ['PLAIN', 'SCRAM-SHA-256']],
  ['AUTH', []],
  ['DELIVERBY', null],
  ['DELIVERBY 240', '240'],
  ['DELIVERBY ,x', ',x'],
  ['FUTURERELEASE 86400 2026-11-23T00:00:00Z', { seconds: 86_400, until: '2026-11-23T00:00:00Z' }],
  ['MT-PRIORITY', null],
  ['MT-PRIORITY MIXER', 'MIXER'],
  [
    'LIMITS RCPTMAX=100 mailmax=5 X',
    new Map([
      ['RCPTMAX', '100'],
      ['MAILMAX', '5'],
      ['X', ''],
    ]),
  ],
])('%s', (line, value) => {
  expect(read(line)).toEqual(value);
  const { announcement } = EXTENSIONS.find(({ keyword }) => keyword === line.split(' ')[0])!;
  expect(announcement.parse(announcement.format(value))).toEqual(value);
});

test.each([
  'PIPELINING now',
  'SIZE x',
  'SIZE 1 2',
  'AUTH a!b',
  'DELIVERBY x',
  'DELIVERBY 1 2',
  'FUTURERELEASE 1',
  'FUTURERELEASE 0 2026-11-23T00:00:00Z',
  'FUTURERELEASE 1 2026-11-31T00:00:00Z',
  'MT-PRIORITY a+b',
  'LIMITS',
  'LIMITS =1',
  'LIMITS a=;',
])('%s is none', (line) => {
  expect(read(line)).toBeUndefined();
});
