// Stubs without a server: what fits, what acts, what is remembered; against a model of ten lines.
import { readFileSync } from 'node:fs';
import { LIMITS } from '@ehlo/engine';
import { Ajv } from 'ajv';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Action,
  checkStubFile,
  type Facts,
  KNOWN,
  milliseconds,
  type Stage,
  type Stub,
  type StubFile,
  StubSet,
} from '../src/stubs.ts';
import { anyEvent, anyStub, facts } from './stub-arbitraries.ts';

const FULL: Stub = { on: 'rcpt', match: { to: 'full@example.org' }, do: { reply: { code: 452, enhanced: '4.2.2', text: 'Mailbox full' } } };
const rcpt = (to: string, more: Partial<Facts> = {}): Facts => facts('rcpt', { from: 'ann@example.org', to: [to], ...more });

describe('what fits', () => {
  test.each([
    ['full@example.org', 'FULL@Example.ORG', true],
    ['*@news.example', 'ann@news.example', true],
    ['*@news.example', 'ann@news.example.org', false],
    ['b?b*@*.example', 'bob+x@a.b.example', true],
    ['*', '', true],
    ['', '', true],
    ['', 'a', false],
    ['*a*b*c', 'xxaxxbxxcxxc', true],
    ['a?', 'a', false],
    ['a*?', 'ab', true],
  ])('%j and %j: %j', (pattern, text, expected) => {
    const stubs = new StubSet();
    stubs.add({ on: 'mail', match: { from: pattern }, do: { drop: true } });
    expect(stubs.decide(facts('mail', { from: text }), 0).action !== null).toBe(expected);
  });

  test('a pattern of many stars takes no more than the product of both lengths', () => {
    const stubs = new StubSet();
    stubs.add({ on: 'mail', match: { from: `${'*a'.repeat(500)}b` }, do: { drop: true } });
    expect(stubs.decide(facts('mail', { from: 'a'.repeat(5000) }), 0).action).toBeNull();
  });

  test('a pattern is an expression or a function, in programs, and has no memory of its own', () => {
    const stubs = new StubSet();
    stubs.add({ on: 'rcpt', match: { to: /full/g, from: (from) => from.startsWith('ann') }, do: { drop: true } });
    expect([0, 1, 2].map((now) => stubs.decide(rcpt('a-full@b'), now).action)).toEqual([{ drop: true }, { drop: true }, { drop: true }]);
    expect(stubs.decide(rcpt('a-full@b', { from: 'bob@b' }), 0).action).toBeNull();
  });

  test('all that is given has to fit: sender, user, mechanism, peer, TLS, header, size', () => {
    const stubs = new StubSet();
    const match = {
      from: 'a@*',
      to: 'b@*',
      identity: 'tim',
      peer: '127.*',
      hello: 'h',
      tls: true,
      header: { Subject: 'no*' },
      size: { least: 5, most: 9 },
    };
    stubs.add({ on: 'message', match, do: { drop: true } });
    const right = {
      from: 'a@x',
      to: ['c@x', 'b@x'],
      identity: 'tim',
      peer: '127.0.0.1',
      hello: 'h',
      tls: true,
      size: 7,
      header: () => ['x', 'NOW'],
    };
    const wrong: Partial<Facts>[] = [
      { from: 'b@x' },
      { to: ['c@x'] },
      { identity: null },
      { peer: '::1' },
      { hello: null },
      { tls: false },
      { size: 4 },
      { size: 10 },
      { size: null },
      { header: () => [] },
    ];
    expect(wrong.filter((one) => stubs.decide(facts('message', { ...right, ...one }), 0).action !== null)).toEqual([]);
    expect(stubs.decide(facts('message', right), 0).action).toEqual({ drop: true });
  });
});

describe('which acts', () => {
  const said = (stubs: StubSet, event: Facts, now = 0) => stubs.decide(event, now).action?.reply?.code ?? null;

  test('the newest first, the program before a preset, the used-up never', () => {
    const stubs = new StubSet();
    const code = (on: Stage, number: number, times?: number): Stub => ({
      on,
      do: { reply: { code: number } },
      ...(times === undefined ? {} : { times }),
    });
    stubs.add(code('rcpt', 450));
    stubs.add(code('rcpt', 451, 2));
    const newest = stubs.add(code('rcpt', 452)).times(1);
    stubs.preset({ stubs: [code('rcpt', 550), code('data', 551), code('data', 552)] });
    expect(Array.from({ length: 5 }, () => said(stubs, rcpt('a@b')))).toEqual([452, 451, 451, 450, 450]);
    expect([said(stubs, facts('data')), newest.fired, stubs.list.map(({ from, fired }) => `${from} ${fired}`)]).toEqual([
      552,
      1,
      ['program 1', 'program 2', 'program 2', 'preset 1', 'preset 0', 'preset 0'],
    ]);
  });

  test('one that is removed is gone, and pass is the usual answer whatever older stubs say', () => {
    const stubs = new StubSet();
    stubs.add(FULL);
    const through = stubs.add({ on: 'rcpt', match: { to: 'full@*' }, do: { pass: true } });
    expect(stubs.decide(rcpt('full@example.org'), 0).action).toEqual({ pass: true });
    through.remove();
    expect(said(stubs, rcpt('full@example.org'))).toBe(452);
  });

  test('the n-th time that it fits, and every n-th', () => {
    const stubs = new StubSet();
    stubs.add({ ...FULL, match: { ...FULL.match, nth: 2 } });
    stubs.add({ on: 'data', match: { every: 3 }, do: { reply: { code: 451 } } });
    expect([0, 1, 2].map(() => said(stubs, rcpt('full@example.org')))).toEqual([null, 452, null]);
    expect([1, 2, 3, 4, 5, 6].map(() => said(stubs, facts('data')))).toEqual([null, null, 451, null, null, 451]);
  });

  test('more than so many within a time are refused, each key for itself; time passes by what is given', () => {
    const stubs = new StubSet();
    stubs.add({ on: 'mail', do: { throttle: { most: 2, within: '1 min', by: ['from'] } } });
    const mail = (from: string, now: number) => said(stubs, facts('mail', { from }), now);
    expect([mail('a@b', 0), mail('a@b', 1), mail('a@b', 2), mail('c@b', 2), mail('a@b', 60_000), mail('a@b', 60_001)]).toEqual([
      null,
      null,
      450,
      null,
      null,
      null,
    ]);
    expect(mail('a@b', 60_002)).toBe(450);
  });

  test('greylisting knows whom it has seen', () => {
    const stubs = new StubSet();
    stubs.add({ on: 'rcpt', do: { greylist: { for: '5 min' } } });
    expect([0, 1000, 299_999, 300_000, 300_001].map((now) => said(stubs, rcpt('a@b'), now))).toEqual([451, 451, 451, null, null]);
    expect(said(stubs, rcpt('other@b'), 300_001)).toBe(451);
  });

  test('settings of all that fit have their say, and what is done is another stub', () => {
    const stubs = new StubSet();
    stubs.preset({ stubs: [{ on: 'connect', do: { capabilities: { remove: ['STARTTLS'] } } }] });
    stubs.add({ on: 'connect', do: { delay: '1 s' } });
    stubs.add({ on: 'connect', do: { limits: { recipients: 3 } } });
    expect(stubs.decide(facts('connect'), 0)).toEqual({
      action: { delay: '1 s' },
      settings: [{ limits: { recipients: 3 } }, { capabilities: { remove: ['STARTTLS'] } }],
    });
  });
});

describe('what is wrong with stubs is told', () => {
  const good = { on: 'rcpt', do: { drop: true } };
  test.each<[unknown, string | RegExp]>([
    [null, /the file is null; it is an object/],
    [[], /the file is an array; it is an object/],
    [{ stubs: [{ on: 'connect', do: { limits: { recipients: 0 } } }] }, /do\.limits\.recipients is 0/],
    [{ stub: [] }, /there is no option stub: did you mean stubs\?/],
    [{ stubs: [good, { on: 'rctp', do: { drop: true } }] }, /stubs\.1\.on is "rctp".*did you mean rcpt\?/],
    [{ stubs: [{ do: { drop: true } }] }, /stubs\.0\.on is missing/],
    [{ stubs: [{ on: 'rcpt' }] }, /stubs\.0\.do is missing/],
    [{ stubs: [{ ...good, match: { indentity: 'x' } }] }, /stubs\.0\.match\.indentity: did you mean stubs\.0\.match\.identity\?/],
    [
      { stubs: [{ on: 'mail', match: { to: 'x' }, do: { drop: true } }] },
      /stubs\.0\.match\.to: at mail only peer, hello, tls, identity, from, size/,
    ],
    [{ stubs: [{ ...good, match: { to: 5 } }] }, /stubs\.0\.match\.to has to be a text/],
    [{ stubs: [{ on: 'rcpt', do: {} }] }, /stubs\.0\.do does nothing/],
    [{ stubs: [{ on: 'rcpt', do: { drop: true, stall: true } }] }, /stubs\.0\.do has stall and drop/],
    [{ stubs: [{ on: 'rcpt', do: { drop: 5 } }] }, /stubs\.0\.do\.drop is a number/],
    [{ stubs: [{ on: 'rcpt', do: { drop: { after: -1 } } }] }, /stubs\.0\.do\.drop\.after is -1/],
    [{ stubs: [{ on: 'rcpt', do: { reply: { code: 99 } } }] }, /reply\.code is 99/],
    [{ stubs: [{ on: 'rcpt', do: { reply: {} } }] }, /needs code or raw/],
    [{ stubs: [{ on: 'rcpt', do: { reply: { code: 450, text: 'a\r\nb' } } }] }, /reply\.text is a line/],
    [{ stubs: [{ on: 'rcpt', do: { reply: { code: 450, enhanced: '4.2' } } }] }, /reply\.enhanced is "4\.2"/],
    [{ stubs: [{ on: 'rcpt', do: { delay: '5 lunches' } }] }, /do\.delay: "5 lunches" is no time/],
    [{ stubs: [{ on: 'rcpt', do: { limits: { recipients: 1 } } }] }, /settings are for the whole connection, on connect/],
    [{ stubs: [{ on: 'connect', do: { limits: { recipient: 1 } } }] }, /did you mean stubs\.0\.do\.limits\.recipients\?/],
    [{ stubs: [{ on: 'rcpt', do: { tls: 'break' } }] }, /do\.tls is for stubs on tls/],
    [{ stubs: [{ on: 'rcpt', do: { throttle: { most: 1 } } }] }, /throttle\.within: .* is no time/],
    [{ stubs: [{ on: 'rcpt', do: { greylist: { for: 1, by: ['who'] } } }] }, /greylist\.by has "who"/],
    [{ stubs: [{ ...good, times: 0 }] }, /stubs\.0\.times is 0/],
    [{ stubs: [{ ...good, match: { to: /x/ } }] }, /is no text: expressions and functions are for programs/],
  ])('%j', (file, message) => {
    expect(() => checkStubFile(file)).toThrow(message);
  });

  test('what it knows at each stage is what a fact says there', () => {
    expect(Object.keys(KNOWN)).toHaveLength(10);
    expect(() => milliseconds(Number.NaN)).toThrow(/is no time/);
  });
});

describe('the schema', () => {
  const schema = JSON.parse(readFileSync(new URL('../stubs.schema.json', import.meta.url), 'utf8')) as object;
  const validate = new Ajv({ strict: false }).compile(schema);
  const taken = (file: unknown): boolean => {
    try {
      checkStubFile(file);
      return true;
    } catch {
      return false;
    }
  };

  test('names the limits that there are, and those that may be 0', () => {
    type Limits = { propertyNames: { enum: string[] }; patternProperties: { [pattern: string]: object } };
    const { definitions } = schema as { definitions: { settings: { properties: { limits: Limits } } } };
    const { limits } = definitions.settings.properties;
    const [none] = Object.keys(limits.patternProperties).map((pattern) => new RegExp(pattern));
    expect(Object.entries(LIMITS).flatMap(([name, { least }]) => (least === 0 ? [name] : []))).toEqual(
      Object.keys(LIMITS).filter((name) => none!.test(name)),
    );
    expect(definitions.settings.properties.limits.propertyNames.enum).toEqual(Object.keys(LIMITS));
  });

  test('takes each file that is taken', () => {
    fc.assert(
      fc.property(fc.array(anyStub), (stubs) => {
        const file = { $schema: 'x', stubs };
        expect(taken(file)).toBe(true);
        expect(validate(file), JSON.stringify(validate.errors)).toBe(true);
      }),
    );
  });

  test('a header that is a list of names is no header', () => {
    const file = { stubs: [{ on: 'message', match: { header: ['x'] }, do: { pass: true } }] };
    expect([validate(file), taken(file)]).toEqual([false, false]);
  });

  test('refuses what is refused: a stub with a name, a value or a part that is wrong', () => {
    const odd = fc.constantFrom<unknown>(
      undefined,
      null,
      -1,
      1.5,
      0,
      '',
      'x\r\n',
      true,
      false,
      [],
      {},
      ['x'],
      { after: 1 },
      '5 min',
      'rcpt',
    );
    fc.assert(
      fc.property(anyStub, fc.nat(), odd, fc.boolean(), (stub, at, value, renamed) => {
        const copy = structuredClone({ stubs: [stub] }) as StubFile;
        const places = placesOf(copy);
        const [holder, name] = places[at % places.length]!;
        if (renamed) holder[`${name}x`] = holder[name];
        else holder[name] = value;
        const file: unknown = JSON.parse(JSON.stringify(copy));
        expect(validate(file), `${JSON.stringify(file)} ${JSON.stringify(validate.errors)}`).toBe(taken(file));
      }),
      { numRuns: 1000 },
    );
  });
});

test('random stubs do to random events what the model says', () => {
  fc.assert(
    fc.property(fc.array(anyStub, { maxLength: 8 }), fc.nat(8), fc.array(anyEvent, { maxLength: 30 }), (all, cut, events) => {
      const stubs = new StubSet();
      stubs.preset({ stubs: all.slice(0, cut) });
      for (const stub of all.slice(cut)) stubs.add(stub);
      const says = model(all.slice(cut), all.slice(0, cut));
      let now = 0;
      for (const [event, passed] of events) {
        now += passed;
        const { action, settings } = stubs.decide(event, now);
        expect({ action, settings }).toEqual(says(event, now));
      }
    }),
    { numRuns: 2000 },
  );
});

/** What stubs do, said as shortly as it can be. */
function model(program: readonly Stub[], preset: readonly Stub[]) {
  const all = [...[...program].reverse(), ...[...preset].reverse()].map((stub) => ({
    ...stub,
    fits: 0,
    acts: 0,
    log: [] as [string, number][],
  }));
  return (event: Facts, now: number) => {
    const said: { action: Action | null; settings: Action[] } = { action: null, settings: [] };
    for (const stub of all) {
      const {
        match: { nth, every = 1, ...match } = {},
        do: { throttle, greylist, ...plain },
      } = stub;
      if (stub.on !== event.stage || stub.acts >= (stub.times ?? 1e9) || !Object.entries(match).every((one) => agrees(one, event)))
        continue;
      const isSetting = 'capabilities' in plain || 'limits' in plain;
      if (said.action !== null && !isSetting) continue;
      if (++stub.fits % every !== 0 || (nth ?? stub.fits) !== stub.fits) continue;
      const memory = throttle ?? greylist;
      const who = JSON.stringify((memory?.by ?? (greylist && ['peer', 'from', 'to'])!)?.map((key) => event[key as 'peer']));
      const log = stub.log.filter(([same, at]) => same === who && (greylist || at > now - milliseconds(throttle!.within)));
      if (throttle ? log.length < throttle.most : greylist && log.length === 0) stub.log.push([who, now]);
      if (throttle ? log.length < throttle.most : greylist && now - (log[0]?.[1] ?? now) >= milliseconds(greylist.for)) continue;
      stub.acts++;
      const usual = greylist ? USUAL.greylist : event.stage === 'connect' ? USUAL.connect : USUAL.throttle;
      if (isSetting) said.settings.push(plain);
      else said.action = memory ? { ...plain, reply: memory.reply ?? usual } : plain;
    }
    return said;
  };
}

function agrees([name, wanted]: [string, unknown], event: Facts): boolean {
  const is = event[name as 'to' | 'from'];
  if (name === 'header')
    return Object.entries(wanted as object).every(([field, p]) => event.header(field).some((value) => asWanted(p, value)));
  if (name === 'size')
    return event.size !== null && event.size >= ((wanted as Size).least ?? 0) && event.size <= ((wanted as Size).most ?? 1e9);
  return name === 'tls'
    ? event.tls === wanted
    : Array.isArray(is)
      ? is.some((one) => asWanted(wanted, one))
      : asWanted(wanted, is as string | null);
}

type Size = NonNullable<NonNullable<Stub['match']>['size']>;

function asWanted(pattern: unknown, value: string | null): boolean {
  const letters = Array.from(
    pattern as string,
    (letter) => ({ '*': '.*', '?': '.' })[letter] ?? `\\u{${letter.codePointAt(0)!.toString(16)}}`,
  );
  return value !== null && new RegExp(`^${letters.join('')}$`, 'isu').test(value);
}

const USUAL = {
  connect: { code: 421, enhanced: '4.7.0', text: 'Too many connections from your host' },
  throttle: { code: 450, enhanced: '4.7.1', text: 'Too many messages, try again later' },
  greylist: { code: 451, enhanced: '4.7.1', text: 'Greylisted, try again later' },
};

/** Every name within a file, with the object that has it. */
function placesOf(value: unknown): [Record<string, unknown>, string][] {
  if (typeof value !== 'object' || value === null) return [];
  const own = Array.isArray(value)
    ? []
    : Object.keys(value).map((name): [Record<string, unknown>, string] => [value as Record<string, unknown>, name]);
  return [...own, ...Object.values(value).flatMap(placesOf)];
}
