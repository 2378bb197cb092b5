import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { DONE, document, download, downloadFile, image, isImage, json, Refused } from './answer.ts';
import { bounded } from './bounded.ts';
import type { Desk } from './desk.ts';
import { inScheme, type MailContent, shownHtml, summaryOf } from './mail-content.ts';
import { type MailSummary, searched } from './mail-record.ts';
import { type Asked, numberOf, type Route } from './router.ts';

/** Ours: mails in an answer, characters of text, and how long a request may wait. */
const MOST_LISTED = 200;
const MOST_TEXT = 1_048_576;
const LONGEST_WAIT = 60_000;

const OPENAPI = new URL('../openapi.json', import.meta.url);
const SCHEMA = join(dirname(createRequire(import.meta.url).resolve('@ehlo/testing')), '../stubs.schema.json');

/** The API. `openapi.json` says what it takes and gives; a test holds one against the other. */
export function apiRoutes(desk: Desk): readonly Route[] {
  const { store, contents, sessions, stubs, token } = desk;
  const mailOf = ({ params }: Asked): MailSummary => found(store.find(params.id!), 'there is no such mail');
  const contentOf = async (asked: Asked): Promise<MailContent> => {
    mailOf(asked);
    return found(await contents.find(asked.params.id!), 'it is gone, or too large to be taken apart');
  };
  return [
    { method: 'GET', path: '/api/info', answer: () => json({ ...desk.facts(), mails: store.size, unread: store.unread }) },
    {
      method: 'GET',
      path: '/api/openapi.json',
      answer: async () => ({ ...json(null), body: await readFile(OPENAPI, 'utf8') }),
    },
    {
      method: 'GET',
      path: '/api/mails',
      answer: ({ query }) => {
        const all = store.list(query.get('query') ?? '');
        const start = numberOf(query, 'start', { least: 0, most: all.length, otherwise: 0 });
        const limit = numberOf(query, 'limit', { least: 1, most: MOST_LISTED, otherwise: 50 });
        return json({ total: all.length, unread: store.unread, start, mails: all.slice(start, start + limit) });
      },
    },
    {
      method: 'DELETE',
      path: '/api/mails',
      answer: async ({ query }) => json({ deleted: await store.remove(store.list(query.get('query') ?? '').map(({ id }) => id)) }),
    },
    {
      method: 'GET',
      path: '/api/mails/wait',
      answer: async ({ query, signal }) => {
        const within = numberOf(query, 'within', { least: 0, most: LONGEST_WAIT, otherwise: 4000 });
        const since = numberOf(query, 'since', { least: 0, most: Number.MAX_SAFE_INTEGER, otherwise: 0 });
        const terms = ['from', 'to', 'subject'].flatMap((name) =>
          query.has(name) ? [`${name}:"${query.get(name)!.replaceAll('"', '')}"`] : [],
        );
        const fits = searched([...terms, query.get('query') ?? ''].join(' '));
        const wanted = (mail: MailSummary): boolean => mail.received >= since && fits(mail);
        const mail = store.list().find(wanted) ?? (await desk.waiting.next(wanted, within, signal));
        return json(found(mail, `no such mail in ${within} ms; ${store.size} others are here`));
      },
    },
    {
      method: 'GET',
      path: '/api/mails/{id}',
      answer: async (asked) => {
        const mail = mailOf(asked);
        const { raw, parts, text, html, files, links } = await contentOf(asked);
        return json({
          ...mail,
          text: text.slice(0, MOST_TEXT),
          textCut: text.length > MOST_TEXT,
          hasHtml: html !== null,
          parts: parts.slice(0, 1000).map(summaryOf),
          files: files.slice(0, 1000),
          links,
          explanation: bounded(await desk.explain(raw)),
        });
      },
    },
    {
      method: 'PATCH',
      path: '/api/mails/{id}',
      answer: async (asked) => {
        const { id } = mailOf(asked);
        const read = ((await asked.body()) as { readonly read?: unknown } | null | undefined)?.read;
        if (typeof read !== 'boolean') throw new Refused(400, 'read is true or false');
        found((await store.mark(id, read)) || null, 'it is gone');
        return DONE;
      },
    },
    {
      method: 'DELETE',
      path: '/api/mails/{id}',
      answer: async (asked) => {
        await store.remove([mailOf(asked).id]);
        return DONE;
      },
    },
    {
      method: 'GET',
      path: '/api/mails/{id}/raw',
      answer: (asked) =>
        downloadFile(store.fileOf(mailOf(asked).id)!, `${mailOf(asked).subject.slice(0, 80) || 'mail'}.eml`, 'message/rfc822'),
    },
    {
      method: 'GET',
      path: '/api/mails/{id}/html',
      answer: async (asked) => {
        const content = await contentOf(asked);
        const address = (part: number): string => `/cid/${token}/${encodeURIComponent(asked.params.id!)}/${part}`;
        const html = shownHtml(found(content.html, 'it has no HTML'), content, address);
        const scheme = asked.query.get('scheme');
        return document(scheme === 'dark' || scheme === 'light' ? inScheme(html, scheme) : html);
      },
    },
    {
      method: 'GET',
      path: '/api/mails/{id}/parts/{part}',
      answer: async (asked) => {
        const part = found((await contentOf(asked)).parts[placeOf(asked)], 'it has no such part');
        return download(part.content, part.filename ?? `part-${asked.params.part}`);
      },
    },
    {
      method: 'POST',
      path: '/api/mails/{id}/release',
      answer: async (asked) => {
        if (desk.release === null) throw new Refused(403, 'mails are not passed on: the server was started without --release');
        const { reversePath, forwardPaths } = mailOf(asked);
        const given = ((await asked.body()) as { readonly to?: unknown } | null | undefined)?.to ?? forwardPaths;
        if (!Array.isArray(given) || given.length === 0 || given.length > 100 || !given.every((to) => typeof to === 'string' && to !== ''))
          throw new Refused(400, 'to is a list of addresses');
        const { raw } = await contentOf(asked);
        return json({ outcomes: await desk.release.send({ from: reversePath ?? '', to: given as string[], octets: raw }) });
      },
    },
    {
      method: 'GET',
      path: '/cid/{token}/{id}/{part}',
      answer: async (asked) => {
        if (asked.params.token !== token) throw new Refused(404, 'there is nothing here');
        const part = found((await contentOf(asked)).parts[placeOf(asked)], 'it has no such part');
        if (!isImage(part.type)) throw new Refused(415, 'only images are shown');
        return image(part.content, part.type);
      },
    },
    { method: 'GET', path: '/api/sessions', answer: () => json({ sessions: sessions.list }) },
    {
      method: 'GET',
      path: '/api/sessions/{id}',
      answer: ({ params }) =>
        json(found(/^[0-9]{1,15}$/.test(params.id!) ? sessions.find(Number(params.id)) : null, 'there is no such session')),
    },
    { method: 'GET', path: '/api/stubs', answer: () => json({ stubs: stubs.list }) },
    {
      method: 'GET',
      path: '/api/stubs/schema',
      answer: async () => ({ ...json(null), body: await readFile(SCHEMA, 'utf8') }),
    },
    { method: 'POST', path: '/api/stubs', answer: async ({ body }) => json(stubs.add(await body()), 201) },
    {
      method: 'DELETE',
      path: '/api/stubs/{id}',
      answer: ({ params }) => {
        stubs.remove(/^[0-9]{1,15}$/.test(params.id!) ? Number(params.id) : -1);
        return DONE;
      },
    },
  ];
}

function found<T>(value: T | null | undefined, otherwise: string): T {
  if (value === null || value === undefined) throw new Refused(404, otherwise);
  return value;
}

function placeOf({ params }: Asked): number {
  return /^[0-9]{1,6}$/.test(params.part!) ? Number(params.part) : -1;
}
