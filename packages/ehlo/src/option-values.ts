// What the options of several commands are read by.

import { InvalidArgumentError } from 'commander';

export function each(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}

export function most(text: string): number {
  const number = whole(text);
  if (number === 0) throw new InvalidArgumentError('It must be a whole number from 1.');
  return number;
}

export function whole(text: string): number {
  if (!/^[0-9]{1,15}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(text);
}

export function port(text: string): number {
  const number = whole(text);
  if (number > 65_535) throw new InvalidArgumentError('It must be a port from 0 to 65535.');
  return number;
}
