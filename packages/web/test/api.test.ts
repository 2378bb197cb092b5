// The HTTP API is what openapi.json says: every path, every method, every answer.
import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect } from 'vitest';
import type { Desk } from '../src/desk.ts';
import { type QueueSource, queueRoutes } from '../src/queue-routes.ts';
import { apiRoutes } from '../src/routes.ts';
import { type Asking, LETTER, type Site, spoken, test, visitor } from './site.ts';

interface Described {
  readonly $ref?: string;
  readonly content?: { readonly [type: string]: { readonly schema: object } };
}
const document = JSON.parse(readFileSync(new URL('../openapi.json', import.meta.url), 'utf8')) as {
  readonly paths: {
    readonly [path: string]: { readonly [method: string]: { readonly responses: { readonly [status: string]: Described } } };
  };
  readonly components: { readonly responses: { readonly [name: string]: Described } };
};
const ajv = new Ajv2020({ strict: false });
ajv.addSchema(document, 'openapi.json');

/** Every answer that the document promises, as `method path status`. */
const promised = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).flatMap(([method, { responses }]) => Object.keys(responses).map((status) => `${method} ${path} ${status}`)),
);

const JOB = {
  id: 'j 1/?',
  domain: 'example.net',
  due: 2000,
  message: { id: 'm', reversePath: 'ann@example.org', arrived: 1000, size: 5 },
  recipients: Array.from({ length: 120 }, (_, i) => ({
    address: `a${i}@example.net`,
    state: i === 0 ? 'relayed' : 'due',
    last: { at: 1500, status: '4.7.1', category: 'greylisted', host: 'mx.example.net', reply: { code: 451, lines: ['later'] } },
  })),
};
const ENTRY = { state: 'waiting', job: JOB };
/** A queue of three jobs; `wish` where it may be operated. */
const QUEUE: QueueSource = {
  status: async () => ({ version: 1 }),
  jobs: async function* (filters) {
    for (let i = 0; i < 3; i++) if (filters.every(([name, value]) => name !== 'domain' || value === 'example.net')) yield ENTRY;
  },
  why: async (id) => (id === JOB.id ? { ...ENTRY, steps: JOB.recipients.map(() => [{ at: 1500, text: 'It waits.' }]) } : null),
};
const OPERABLE: QueueSource = { ...QUEUE, wish: async (what, id) => (what === 'hold' && id === JOB.id ? 'done' : 'gone') };
const gone = async (): Promise<never> => Promise.reject(new Error('no relay listens there'));
const AWAY: QueueSource = {
  status: gone,
  jobs: async function* () {
    yield await gone();
  },
  why: gone,
  wish: gone,
};
const shown =
  (queue: QueueSource) =>
  (site: Site): unknown =>
    site.open({ queue });

const STUB = { on: 'rcpt', match: { to: 'full@*' }, do: { reply: { code: 452 } } };
const FOREIGN = { headers: { origin: 'http://evil.example' } };
const HUGE = { body: `"${'x'.repeat(70_000)}"` };

/** What is asked, so that each of them is given once; `made` puts there what it needs. */
const CASES: readonly (readonly [promise: string, path: string, asking?: Asking, made?: (site: Site) => unknown])[] = [
  ['get /api/info 200', '/api/info'],
  ['get /api/openapi.json 200', '/api/openapi.json'],
  ['get /api/mails 200', '/api/mails?query=hello&limit=5&start=0'],
  ['get /api/mails 400', '/api/mails?limit=none'],
  ['delete /api/mails 200', '/api/mails?query=subject:nothing', { method: 'DELETE' }],
  ['delete /api/mails 403', '/api/mails', { method: 'DELETE', ...FOREIGN }],
  ['get /api/mails/wait 200', '/api/mails/wait?to=bob@b.example&from=ann&subject=gr'],
  ['get /api/mails/wait 400', '/api/mails/wait?within=soon'],
  ['get /api/mails/wait 404', '/api/mails/wait?to=nobody&within=1'],
  [
    'get /api/mails/wait 503',
    '/api/mails/wait?to=nobody&within=1',
    {},
    (site) => crowd(site, '/api/mails/wait?to=nobody&within=60000', 100),
  ],
  ['get /api/mails/{id} 200', '/api/mails/ID'],
  ['get /api/mails/{id} 404', '/api/mails/..%2Fcur%2Fx'],
  ['patch /api/mails/{id} 204', '/api/mails/ID', { method: 'PATCH', body: { read: true } }],
  ['patch /api/mails/{id} 400', '/api/mails/ID', { method: 'PATCH', body: { read: 'yes' } }],
  ['patch /api/mails/{id} 403', '/api/mails/ID', { method: 'PATCH', body: { read: true }, ...FOREIGN }],
  ['patch /api/mails/{id} 404', '/api/mails/none', { method: 'PATCH', body: { read: true } }],
  ['patch /api/mails/{id} 413', '/api/mails/ID', { method: 'PATCH', ...HUGE }],
  ['delete /api/mails/{id} 204', '/api/mails/ID', { method: 'DELETE' }],
  ['delete /api/mails/{id} 403', '/api/mails/ID', { method: 'DELETE', ...FOREIGN }],
  ['delete /api/mails/{id} 404', '/api/mails/none', { method: 'DELETE' }],
  ['get /api/mails/{id}/raw 200', '/api/mails/ID/raw'],
  ['get /api/mails/{id}/raw 404', '/api/mails/none/raw'],
  ['get /api/mails/{id}/html 200', '/api/mails/ID/html'],
  ['get /api/mails/{id}/html 404', '/api/mails/none/html'],
  ['get /api/mails/{id}/parts/{part} 200', '/api/mails/ID/parts/0'],
  ['get /api/mails/{id}/parts/{part} 404', '/api/mails/ID/parts/99'],
  ['post /api/mails/{id}/release 200', '/api/mails/ID/release', { method: 'POST' }, (site) => site.open({ release: RELEASE })],
  [
    'post /api/mails/{id}/release 400',
    '/api/mails/ID/release',
    { method: 'POST', body: { to: [] } },
    (site) => site.open({ release: RELEASE }),
  ],
  ['post /api/mails/{id}/release 403', '/api/mails/ID/release', { method: 'POST' }],
  ['post /api/mails/{id}/release 404', '/api/mails/none/release', { method: 'POST' }, (site) => site.open({ release: RELEASE })],
  ['post /api/mails/{id}/release 413', '/api/mails/ID/release', { method: 'POST', ...HUGE }, (site) => site.open({ release: RELEASE })],
  ['get /cid/{token}/{id}/{part} 200', 'IMAGE/2'],
  ['get /cid/{token}/{id}/{part} 404', '/cid/guessed/ID/2'],
  ['get /cid/{token}/{id}/{part} 415', 'IMAGE/3'],
  ['get /api/sessions 200', '/api/sessions'],
  ['get /api/sessions/{id} 200', '/api/sessions/1'],
  ['get /api/sessions/{id} 404', '/api/sessions/77'],
  ['get /api/queue 200', '/api/queue', {}, shown(QUEUE)],
  ['get /api/queue 404', '/api/queue'],
  ['get /api/queue 502', '/api/queue', {}, shown(AWAY)],
  ['get /api/queue/jobs 200', '/api/queue/jobs?domain=example.net&most=2&state=waiting', {}, shown(QUEUE)],
  ['get /api/queue/jobs 400', '/api/queue/jobs?older=soon', {}, shown(QUEUE)],
  ['get /api/queue/jobs 404', '/api/queue/jobs'],
  ['get /api/queue/jobs 502', '/api/queue/jobs', {}, shown(AWAY)],
  ['get /api/queue/jobs/{id} 200', '/api/queue/jobs/j%201%2F%3F', {}, shown(QUEUE)],
  ['get /api/queue/jobs/{id} 404', '/api/queue/jobs/none', {}, shown(QUEUE)],
  ['get /api/queue/jobs/{id} 502', '/api/queue/jobs/none', {}, shown(AWAY)],
  ['post /api/queue/jobs/{id}/{wish} 200', '/api/queue/jobs/j%201%2F%3F/hold', { method: 'POST' }, shown(OPERABLE)],
  ['post /api/queue/jobs/{id}/{wish} 403', '/api/queue/jobs/j%201%2F%3F/hold', { method: 'POST' }, shown(QUEUE)],
  ['post /api/queue/jobs/{id}/{wish} 404', '/api/queue/jobs/j%201%2F%3F/burn', { method: 'POST' }, shown(OPERABLE)],
  ['post /api/queue/jobs/{id}/{wish} 502', '/api/queue/jobs/x/hold', { method: 'POST' }, shown(AWAY)],
  ['get /api/stubs 200', '/api/stubs', {}, (site) => site.stubs.add(STUB as never)],
  ['post /api/stubs 201', '/api/stubs', { method: 'POST', body: STUB }],
  ['post /api/stubs 400', '/api/stubs', { method: 'POST', body: { on: 'rctp', do: { drop: true } } }],
  ['post /api/stubs 403', '/api/stubs', { method: 'POST', body: STUB, ...FOREIGN }],
  ['post /api/stubs 409', '/api/stubs', { method: 'POST', body: STUB }, manyStubs],
  ['post /api/stubs 413', '/api/stubs', { method: 'POST', ...HUGE }],
  ['get /api/stubs/schema 200', '/api/stubs/schema'],
  ['delete /api/stubs/{id} 204', '/api/stubs/1', { method: 'DELETE' }, (site) => site.ask('/api/stubs', { method: 'POST', body: STUB })],
  ['delete /api/stubs/{id} 403', '/api/stubs/1', { method: 'DELETE', ...FOREIGN }],
  ['delete /api/stubs/{id} 404', '/api/stubs/5', { method: 'DELETE' }],
  ['delete /api/stubs/{id} 409', '/api/stubs/1', { method: 'DELETE' }, (site) => site.stubs.preset({ stubs: [STUB as never] })],
  ['get /api/events 503', '/api/events', {}, (site) => crowd(site, '/api/events', 32)],
];

const RELEASE = {
  to: 'relay.example',
  send: async ({ to }: { readonly to: readonly string[] }) => to.map((recipient) => ({ recipient, status: 'accepted', reply: '250 OK' })),
};

async function manyStubs(site: Site): Promise<void> {
  for (let i = 0; i < 200; i++) await site.ask('/api/stubs', { method: 'POST', body: STUB });
}

/** So many requests that stay, and are given up when the page closes. */
async function crowd(site: Site, path: string, many: number): Promise<void> {
  for (let i = 0; i < many; i++) site.ask(path).catch(() => {});
  const refused = (): Promise<boolean> => site.ask(path.replace('60000', '1')).then(({ status }) => status === 503);
  while (!(await Promise.race([refused(), new Promise<boolean>((resolve) => setTimeout(resolve, 50, false))])));
}

describe('openapi.json', () => {
  test('has a case for each of its answers', () => {
    // The stream of events has no end: tested where it is read.
    expect(CASES.map(([promise]) => promise).sort()).toEqual(promised.filter((one) => one !== 'get /api/events 200').sort());
  });

  test('names the routes that there are, and no other', () => {
    const routes = [...apiRoutes({} as Desk), ...queueRoutes(null)].map(({ method, path }) => `${method.toLowerCase()} ${path}`);
    const named = Object.entries(document.paths).flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method} ${path}`));
    expect([...routes, 'get /api/events'].sort()).toEqual(named.sort());
  });
});

for (const [promise, path, asking = {}, made = () => {}] of CASES) {
  test(promise, async ({ site }) => {
    site.web.connected(visitor(1));
    const id = await site.mail(LETTER);
    for (const notice of spoken(['S: 220 mx', 'C: EHLO a', 'S: 250 mx'])) site.web.notice(visitor(1), notice);
    await made(site);
    const html = (await site.ask(`/api/mails/${id}/html`)).body.toString();
    const image = /\/cid\/[\w-]+\/[^/"]+/.exec(html)?.[0] ?? '';
    const { status, headers, body } = await site.ask(path.replace('ID', id).replace('IMAGE', image), asking);
    const [method, of, wanted] = promise.split(' ') as [string, string, string];
    expect(status, body.toString().slice(0, 200)).toBe(Number(wanted));
    const described = responseOf(document.paths[of]![method]!.responses[wanted]!);
    if (described.content === undefined) return expect(body.length).toBe(0);
    const [[type, { schema }]] = Object.entries(described.content) as [[string, { readonly schema: object }]];
    expect(String(headers['content-type']).split(';')[0]).toMatch(new RegExp(`^${type.replace('*', '.*')}$`));
    if (type !== 'application/json') return;
    const holds = ajv.compile(absolute(schema));
    expect(holds(JSON.parse(body.toString())) || holds.errors).toBe(true);
  });
}

function responseOf(described: Described): Described {
  return described.$ref === undefined ? described : document.components.responses[described.$ref.split('/').at(-1)!]!;
}

/** References of a part of the document, as seen from elsewhere. */
function absolute(schema: object): object {
  return JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"openapi.json#/')) as object;
}
