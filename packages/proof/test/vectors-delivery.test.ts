// The stories of deliveries, as they stand and with answers turned round; and that a story can fail.
import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type DeliveryFile, type DeliveryStory, type JsonSchema, replayDelivery, StoryMismatch, violations } from '../src/vectors/index.ts';
import { read, root } from './vectors.ts';

const files = readdirSync(new URL('delivery/', root)).map((file) => `delivery/${file}`);
const stories = files.flatMap((file) => (read(file) as DeliveryFile).deliveries);

test.each(files)('%s keeps to its schema', (file) => {
  expect(violations(read(file) as never, read('schema/delivery.schema.json') as JsonSchema)).toEqual([]);
});

test('names stand once', () => {
  const names = stories.map(({ name }) => name);
  expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
});

describe.each(stories.map((story): [string, DeliveryStory] => [story.name, story]))('%s', (_, story) => {
  test('as told', () => {
    expect(replayDelivery(story)).toBeGreaterThan(0);
  });

  test('with the last answer first', () => {
    expect(replayDelivery(story, 'turned')).toBeGreaterThan(0);
  });

  test('without one of its orders it is another story', () => {
    const at = story.steps.findIndex((step) => 'order' in step);
    const steps = story.steps.filter((_step, i) => i !== at);
    expect(() => replayDelivery({ ...story, steps })).toThrow(StoryMismatch);
  });
});
