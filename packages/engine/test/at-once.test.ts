// What a function of the program gives where nothing can wait for it.
import { expect, test } from 'vitest';
import { atOnce, dropPromise, yesOrNo } from '../src/index.ts';

/** An object that throws when it is looked at. */
const hostile = Object.defineProperty({}, 'then', {
  get() {
    throw new Error('look away');
  },
});

test('a promise is dropped with its rejection, and nothing else is a promise', async () => {
  expect([Promise.reject(new Error('nobody hears it')), 'text', null, undefined, {}, hostile].map(dropPromise)).toEqual([
    true,
    false,
    false,
    false,
    false,
    false,
  ]);
  await new Promise((resolve) => setTimeout(resolve));
});

test('a value is given on, and a promise is refused by name', () => {
  expect(atOnce('value', 'offer')).toBe('value');
  expect(() => atOnce(Promise.resolve('value'), 'offer')).toThrow(/^offer gave a promise/);
});

test.each([['text'], [undefined], [1], [Promise.resolve(true)], [hostile]])('%j is neither yes nor no', (answer) => {
  expect(() => yesOrNo(answer, 'tls.verify')).toThrow('tls.verify has to return true or false, at once');
});
