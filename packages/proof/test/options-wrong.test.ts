// Each row of each table is given what is wrong: the name misspelt by a letter, and every value that is not of its kind. The error says where it
// stands, what was given, what is possible, and which name was meant; nothing is listened on, connected to or sent.
import { describe, expect, test } from 'vitest';
import { MAIL_PARAMETERS, RCPT_PARAMETERS } from '../../ehlo/src/words/send.ts';
import { DOORS, type Door } from './options/doors.ts';
import { SECTIONS } from './options/sections.ts';
import { misspelt, wrongValues } from './options/wrong-values.ts';

/** What is thrown for options. */
async function errorOf(door: Door, options: object): Promise<{ readonly name: string; readonly code?: string; readonly message: string }> {
  try {
    await door.give(options);
  } catch (error) {
    return error as Error;
  }
  return { name: 'nothing', message: `taken: ${JSON.stringify(options)}` };
}

const CHECKED = SECTIONS.filter(({ title }) => !title.startsWith('send: parameters'));

test('every section has a way to be tried', () => {
  const missing = CHECKED.filter(({ title }) => DOORS[title] === undefined).map(({ title }) => title);
  expect(missing, 'say in packages/proof/test/options/doors.ts how their options are given').toEqual([]);
});

describe.each(CHECKED)('$title', ({ title, table, words }) => {
  const door = DOORS[title]!;
  const names = Object.keys(table ?? words);

  test.each(names)('%s, misspelt', async (name) => {
    const wrong = misspelt(name);
    const { name: type, code, message } = await errorOf(door, { [wrong]: 5 });
    if (door.foreign) expect([type, message]).toEqual(['RangeError', `there is no option ${wrong}; there are ${names.join(', ')}`]);
    else {
      expect([type, code]).toEqual(['SmtpUsageError', 'bad-option']);
      expect(message.split('; ')[0]).toBe(`there is no option ${door.path}${wrong}: did you mean ${door.path}${name}?`);
      expect(message).toMatch(new RegExp(`; (?:there are|.* has) .*\\b${name}\\b`));
    }
  });

  test.each(names)('%s, with what it can not be', async (name) => {
    const own = door.wrong?.[name];
    const wrong = wrongValues(table?.[name] ?? 'any');
    expect(own !== undefined || wrong.length > 0, 'say in packages/proof/test/options/doors.ts what is wrong for it').toBe(true);
    for (const { value, said, code } of wrong)
      expect(await errorOf(door, { [name]: value })).toMatchObject({
        name: 'SmtpUsageError',
        code,
        message: expect.stringMatching(new RegExp(`^${escaped(door.path + name)}(?:\\.\\d+)? ${escaped(said)}`)),
      });
    if (own === undefined) return;
    const [value, said] = own;
    expect(await errorOf(door, { [name]: value })).toMatchObject({
      name: door.foreign ? 'RangeError' : 'SmtpUsageError',
      message: typeof said === 'string' ? said : expect.stringMatching(said),
    });
  });
});

describe.each([
  ['MAIL', MAIL_PARAMETERS],
  ['RCPT', RCPT_PARAMETERS],
] as const)('parameters of %s', (verb, parameters) => {
  const names = Object.keys(parameters);
  const given = (values: object): Promise<{ readonly name: string; readonly code?: string; readonly message: string }> =>
    errorOf(DOORS[`send: parameters of ${verb}`]!, values);

  test.each(names)('%s, misspelt', async (name) => {
    const { code, message } = await given({ [misspelt(name)]: 5 });
    const said = `${verb} has no ${misspelt(name)} among the option parameters: did you mean ${name}?; it has `;
    expect([code, message.slice(0, said.length)]).toEqual(['bad-parameter', said]);
  });

  test.each(names)('%s, with what it can not be', async (name) => {
    for (const [value, shown] of [
      [{}, 'an object'],
      [false, 'false'],
      [0.5, '0.5'],
      [() => 5, 'a function'],
    ]) {
      const { code, message } = await given({ [name]: value });
      const said = `parameters.${name} is ${shown}, which is not a value of `;
      expect([code, message.slice(0, said.length)]).toEqual(['bad-parameter', said]);
    }
  });
});

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
