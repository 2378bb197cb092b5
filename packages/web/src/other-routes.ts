import { document, download, downloadFile, json, Refused, text } from './answer.ts';
import { bounded } from './bounded.ts';
import type { Desk } from './desk.ts';
import { type MailContent, shownHtml, summaryOf } from './mail-content.ts';
import { type MailSummary, type Person, valuesOf } from './mail-record.ts';
import { type Asked, numberOf, type Route } from './router.ts';

/** Paths of other mail catchers that map cleanly, in their shapes: what speaks to those can speak to this (docs/web.md has the table). */
export function otherRoutes(desk: Desk): readonly Route[] {
  return [...mailpitRoutes(desk), ...maildevRoutes(desk)];
}

function mailpitRoutes(desk: Desk): readonly Route[] {
  const { store } = desk;
  const { mailOf, contentOf, html } = lookUps(desk);
  const page = (query: URLSearchParams, search: string): object => {
    const all = store.list(search);
    const start = numberOf(query, 'start', { least: 0, most: all.length, otherwise: 0 });
    const limit = numberOf(query, 'limit', { least: 0, most: 1000, otherwise: 50 });
    const some = all.slice(start, start + limit);
    const unread = all.filter(({ read }) => !read).length;
    const counts = { total: store.size, unread: store.unread, count: some.length, messages_count: all.length, messages_unread: unread };
    return { ...counts, start, tags: [], messages: some.map(listed) };
  };
  const idsOf = async ({ body }: Asked): Promise<readonly string[]> => {
    const { IDs = [] } = ((await body()) ?? {}) as { readonly IDs?: unknown };
    if (!Array.isArray(IDs)) throw new Refused(400, 'IDs is a list');
    return IDs.length === 0 ? store.list().map(({ id }) => id) : (IDs as string[]);
  };
  return [
    { method: 'GET', path: '/livez', answer: () => text('ok') },
    { method: 'GET', path: '/readyz', answer: () => text('ok') },
    {
      method: 'GET',
      path: '/api/v1/info',
      answer: () => json({ Version: 'ehlo', LatestVersion: '', Messages: store.size, Unread: store.unread, Tags: {} }),
    },
    { method: 'GET', path: '/api/v1/messages', answer: ({ query }) => json(page(query, '')) },
    { method: 'GET', path: '/api/v1/search', answer: ({ query }) => json(page(query, query.get('query') ?? '')) },
    {
      method: 'DELETE',
      path: '/api/v1/search',
      answer: async ({ query }) => {
        await store.remove(store.list(query.get('query') ?? '').map(({ id }) => id));
        return text('ok');
      },
    },
    {
      method: 'DELETE',
      path: '/api/v1/messages',
      answer: async (asked) => {
        await store.remove(await idsOf(asked));
        return text('ok');
      },
    },
    {
      method: 'PUT',
      path: '/api/v1/messages',
      answer: async (asked) => {
        const { Read = false } = ((await asked.body()) ?? {}) as { readonly Read?: unknown };
        for (const id of await idsOf(asked)) await store.mark(id, Read === true);
        return text('ok');
      },
    },
    {
      method: 'GET',
      path: '/api/v1/message/{id}',
      answer: async (asked) => {
        const mail = mailOf(asked);
        const content = await contentOf(asked);
        const { ID, Snippet: _, ...fields } = listed(mail);
        const files = content.files.map(({ part, type, filename, contentId, octets }) => ({
          PartID: `${part}`,
          FileName: filename ?? '',
          ContentType: type,
          ContentID: contentId ?? '',
          Size: octets,
        }));
        const inline = files.filter(({ ContentID }) => ContentID !== '');
        return json({
          ID,
          ...fields,
          ReturnPath: mail.reversePath ?? '',
          Date: new Date(mail.received).toISOString(),
          ListUnsubscribe: { Header: '', Links: [], Errors: '', HeaderPost: '' },
          Text: content.text,
          HTML: content.html ?? '',
          Inline: inline,
          Attachments: files.filter(({ ContentID }) => ContentID === ''),
        });
      },
    },
    {
      method: 'GET',
      path: '/api/v1/message/{id}/raw',
      answer: async (asked) => ({ ...text(''), body: (await contentOf(asked)).raw }),
    },
    { method: 'GET', path: '/api/v1/message/{id}/headers', answer: async (asked) => json(bounded(valuesOf((await contentOf(asked)).raw))) },
    {
      method: 'GET',
      path: '/api/v1/message/{id}/part/{part}',
      answer: async (asked) => {
        const part = (await contentOf(asked)).parts[/^[0-9]{1,6}$/.test(asked.params.part!) ? Number(asked.params.part) : -1];
        if (part === undefined) throw new Refused(404, 'it has no such part');
        return download(part.content, part.filename ?? `part-${asked.params.part}`);
      },
    },
    {
      method: 'POST',
      path: '/api/v1/message/{id}/release',
      answer: async (asked) => {
        if (desk.release === null) throw new Refused(403, 'mails are not passed on: the server was started without --release');
        const { To } = ((await asked.body()) ?? {}) as { readonly To?: unknown };
        if (!Array.isArray(To) || To.length === 0 || To.length > 100 || !To.every((to) => typeof to === 'string' && to !== ''))
          throw new Refused(400, 'To is a list of addresses');
        const { raw } = await contentOf(asked);
        const outcomes = await desk.release.send({ from: mailOf(asked).reversePath ?? '', to: To as string[], octets: raw });
        const failed = outcomes.find(({ status }) => status !== 'accepted');
        if (failed !== undefined) throw new Refused(502, `${failed.recipient}: ${failed.reply}`);
        return text('ok');
      },
    },
    {
      method: 'GET',
      path: '/view/{file}',
      answer: async (asked) => {
        const [, id, kind] = /^(.*)\.(html|txt)$/.exec(asked.params.file!) ?? [];
        if (id === undefined) throw new Refused(404, 'a view ends with .html or .txt');
        const one = { ...asked, params: { id } };
        return kind === 'html' ? html(one) : text((await contentOf(one)).text);
      },
    },
  ];
}

function maildevRoutes(desk: Desk): readonly Route[] {
  const { store } = desk;
  const { mailOf, contentOf, html } = lookUps(desk);
  const whole = async (mail: MailSummary): Promise<object> => {
    const content = await desk.contents.find(mail.id);
    const people = (some: readonly Person[]): object => some.map(({ name, address }) => ({ address, name }));
    return {
      id: mail.id,
      time: new Date(mail.received).toISOString(),
      read: mail.read,
      subject: mail.subject,
      from: people(mail.from),
      to: people(mail.to),
      cc: people(mail.cc),
      text: content?.text ?? '',
      html: content?.html ?? '',
      messageId: mail.messageId,
      size: mail.size,
      envelope: {
        from: { address: mail.reversePath ?? '' },
        to: mail.forwardPaths.map((address) => ({ address })),
        host: '',
        remoteAddress: '',
      },
      attachments:
        content?.parts
          .map(summaryOf)
          .flatMap(({ type, filename, contentId, octets }) =>
            filename === null
              ? []
              : [{ contentType: type, fileName: filename, generatedFileName: filename, contentId: contentId ?? '', length: octets }],
          ) ?? [],
    };
  };
  return [
    { method: 'GET', path: '/healthz', answer: () => json(true) },
    {
      method: 'GET',
      path: '/email',
      // Its API gives all at once, the oldest first; this, the newest of them.
      answer: async () => json(await Promise.all([...store.list().slice(0, 200)].reverse().map(whole))),
    },
    { method: 'GET', path: '/email/{id}', answer: async (asked) => json(await whole(mailOf(asked))) },
    {
      method: 'DELETE',
      path: '/email/all',
      answer: async () => {
        await store.remove(store.list().map(({ id }) => id));
        return json(true);
      },
    },
    {
      method: 'DELETE',
      path: '/email/{id}',
      answer: async (asked) => {
        await store.remove([mailOf(asked).id]);
        return json(true);
      },
    },
    {
      method: 'PATCH',
      path: '/email/read-all',
      answer: async () => {
        const unread = store.list('is:unread');
        for (const { id } of unread) await store.mark(id, true);
        return json(unread.length);
      },
    },
    { method: 'GET', path: '/email/{id}/html', answer: html },
    {
      method: 'GET',
      path: '/email/{id}/source',
      answer: async (asked) => ({ ...text(''), body: (await contentOf(asked)).raw }),
    },
    {
      method: 'GET',
      path: '/email/{id}/download',
      answer: (asked) => downloadFile(store.fileOf(mailOf(asked).id)!, `${mailOf(asked).id}.eml`, 'message/rfc822'),
    },
    {
      method: 'GET',
      path: '/email/{id}/attachment/{name}',
      answer: async (asked) => {
        const part = (await contentOf(asked)).parts.find(({ filename }) => filename === asked.params.name);
        if (part === undefined) throw new Refused(404, 'it has no such attachment');
        return download(part.content, asked.params.name!);
      },
    },
  ];
}

/** What both look up. */
function lookUps({ store, contents, token }: Desk): {
  readonly mailOf: (asked: Asked) => MailSummary;
  readonly contentOf: (asked: Asked) => Promise<MailContent>;
  readonly html: Route['answer'];
} {
  const mailOf = ({ params: { id } }: Asked): MailSummary => {
    const mail = id === 'latest' ? store.list()[0] : store.find(id!);
    if (mail === null || mail === undefined) throw new Refused(404, 'there is no such mail');
    return mail;
  };
  const contentOf = async (asked: Asked): Promise<MailContent> => {
    const content = await contents.find(mailOf(asked).id);
    if (content === null) throw new Refused(404, 'it is gone, or too large to be taken apart');
    return content;
  };
  const html: Route['answer'] = async (asked) => {
    const content = await contentOf(asked);
    if (content.html === null) throw new Refused(404, 'it has no HTML');
    const { id } = mailOf(asked);
    return document(shownHtml(content.html, content, (part) => `/cid/${token}/${encodeURIComponent(id)}/${part}`));
  };
  return { mailOf, contentOf, html };
}

/** As mailpit lists a mail. */
function listed({ id, received, read, size, from, to, cc, replyTo, subject, messageId, attachments, snippet }: MailSummary): {
  readonly ID: string;
  readonly Snippet: string;
  readonly [name: string]: unknown;
} {
  const people = (some: readonly Person[]): object[] => some.map(({ name, address }) => ({ Name: name, Address: address }));
  return {
    ID: id,
    MessageID: messageId.replace(/^<|>$/g, ''),
    Read: read,
    From: people(from)[0] ?? { Name: '', Address: '' },
    To: people(to),
    Cc: people(cc),
    Bcc: [],
    ReplyTo: people(replyTo),
    Subject: subject,
    Created: new Date(received).toISOString(),
    Username: '',
    Tags: [],
    Size: size,
    Attachments: attachments,
    Snippet: snippet,
  };
}
