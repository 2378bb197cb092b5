// A page over a mail directory of its own, without a mail server: sessions and mails are told of by hand.
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Session } from '@ehlo/driver';
import type { Notice } from '@ehlo/engine';
import { StubSet } from '@ehlo/testing';
import { test as base } from 'vitest';
import { openWeb, type Web, type WebOptions } from '../src/index.ts';

export interface Reply {
  readonly status: number;
  readonly headers: { readonly [name: string]: string | string[] | undefined };
  readonly body: Buffer;
}

/** What is asked beside the path. */
export interface Asking {
  readonly method?: string;
  readonly headers?: { readonly [name: string]: string };
  readonly body?: unknown;
}

const EXPLANATION = {
  valid: true,
  octets: 1,
  envelope: {},
  trace: { hops: [] },
  report: null,
  content: { type: 'text/plain', parts: [], fields: [] },
};

export class Site {
  readonly maildir: string = mkdtempSync(join(tmpdir(), 'ehlo-web-'));
  readonly stubs: StubSet = new StubSet();
  #web: Web | null = null;
  #count = 0;
  readonly failures: unknown[] = [];

  constructor() {
    for (const folder of ['tmp', 'new', 'cur']) mkdirSync(join(this.maildir, folder));
  }

  get web(): Web {
    return this.#web!;
  }

  async open(options: Partial<WebOptions> = {}): Promise<this> {
    await this.#web?.close();
    const { maildir, stubs } = this;
    this.#web = await openWeb({
      maildir,
      stubs,
      port: 0,
      explain: async () => EXPLANATION,
      failed: (error) => this.failures.push(error),
      ...options,
    });
    return this;
  }

  async close(): Promise<void> {
    await this.#web?.close();
    rmSync(this.maildir, { recursive: true, force: true });
  }

  /** Puts a file where a server would. Seconds: when. */
  file(content: string, seconds = 1_800_000_000 + this.#count): string {
    const name = `${seconds}.M${++this.#count}.host`;
    writeFileSync(join(this.maildir, 'new', name), content.replaceAll('\n', '\r\n'), 'latin1');
    return name;
  }

  files(folder: 'new' | 'cur'): string[] {
    return readdirSync(join(this.maildir, folder)).sort();
  }

  /** Tells of a mail that a session has brought; resolves with its id when it is there. */
  async mail(content: string, session: Session = visitor(1)): Promise<string> {
    const name = this.file(content);
    this.web.message(session, { file: join(this.maildir, 'new', name), reversePath: '<ann@a.example>', forwardPaths: ['<bob@b.example>'] });
    for (;;) {
      const { status } = await this.ask(`/api/mails/${name}`);
      if (status === 200) return name;
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  ask(path: string, { method = 'GET', headers = {}, body }: Asking = {}): Promise<Reply> {
    const content = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body);
    // Node does not say by itself how long the body of a DELETE is.
    const length = content === undefined ? {} : { 'content-length': String(Buffer.byteLength(content)) };
    return new Promise((resolve, reject) => {
      const asked = request(
        { host: '127.0.0.1', port: this.web.port, path, method, headers: { ...headers, ...length }, agent: false },
        (response) => {
          const parts: Buffer[] = [];
          response.on('data', (part: Buffer) => parts.push(part));
          response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, body: Buffer.concat(parts) }));
          response.on('error', reject);
        },
      );
      asked.on('error', reject);
      asked.end(content);
    });
  }

  async json(path: string, asking: Asking = {}): Promise<{ readonly [name: string]: unknown } & object> {
    return JSON.parse((await this.ask(path, asking)).body.toString()) as { readonly [name: string]: unknown };
  }
}

/** A session, as far as the page looks at it. */
export function visitor(id: number): Session {
  return {
    id,
    peer: { address: '127.0.0.1', port: 1 },
    hello: { name: 'client.example' },
    tls: null,
    identity: null,
  } as unknown as Session;
}

/** Lines of a conversation, `C: …` and `S: …`, as notices. */
export function spoken(lines: readonly string[]): Notice[] {
  return lines.map((line) => ({ type: 'trace', from: line.startsWith('C') ? 'client' : 'server', line: line.slice(3) }));
}

export const test = base.extend<{ site: Site }>({
  // biome-ignore lint/correctness/noEmptyPattern: vitest reads the names of fixtures from it.
  site: async ({}, use) => {
    const site = new Site();
    await use(await site.open());
    await site.close();
  },
});

export const LETTER = `Return-Path: <ann@a.example>
X-Envelope-To: <bob@b.example>
From: =?utf-8?q?Ann_=C3=84?= <ann@a.example>
To: Bob <bob@b.example>
Subject: =?utf-8?q?gr=C3=BC=C3=9Fe?=
Message-ID: <1@a.example>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/plain

Hello, see https://a.example/x.
--b
Content-Type: text/html

<p onclick="x()">Hello</p><script>alert(1)</script><img src="cid:logo@a"><img src="cid:none@a"><IFrame	src="//x.example"></iframe><linked>
--b
Content-Type: image/png
Content-ID: <logo@a>
Content-Transfer-Encoding: base64

iVBORw0KGgo=
--b
Content-Type: image/svg+xml
Content-ID: <vector@a>

<svg xmlns="http://www.w3.org/2000/svg"/>
--b
Content-Type: text/html
Content-Disposition: attachment; filename="../../e\tvil\\".html"

<script>alert(1)</script>
--b--
`;
