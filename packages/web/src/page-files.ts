import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import type { Answer } from './answer.ts';

/** What the page may do: its own scripts and styles, this server, and frames of it. */
const PAGE =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; frame-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const TYPES: { readonly [extension: string]: string } = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.json': 'application/json; charset=utf-8',
};

/** The files of the page, by their paths. */
export async function pageFiles(): Promise<ReadonlyMap<string, Answer>> {
  const folder = new URL('../page/', import.meta.url);
  const names = (await readdir(folder)).filter((name) => TYPES[extname(name)] !== undefined);
  const files = await Promise.all(
    names.map(async (name): Promise<[string, Answer]> => {
      const body = await readFile(new URL(name, folder));
      const headers = {
        'content-type': TYPES[extname(name)]!,
        'content-security-policy': PAGE,
        'cross-origin-opener-policy': 'same-origin',
        'cache-control': 'no-cache',
        etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`,
      };
      return [name === 'index.html' ? '/' : `/${name}`, { status: 200, headers, body }];
    }),
  );
  return new Map(files);
}
