/** What a request is answered by. */
export interface Answer {
  readonly status: number;
  readonly headers: { readonly [name: string]: string };
  readonly body: Uint8Array | string;
  /** A file whose octets are the body, in place of it. */
  readonly file?: string;
}

/** A request that can't be carried out; it is answered by this. */
export class Refused extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export function json(value: unknown, status = 200): Answer {
  return {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' },
    body: JSON.stringify(value),
  };
}

export function text(body: string, status = 200): Answer {
  return { status, headers: { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' }, body };
}

/** Done, and nothing to say. */
export const DONE: Answer = { status: 204, headers: {}, body: '' };

export function refusal({ status, message }: Refused): Answer {
  return json({ error: message }, status);
}

/** What a document may do that came with a mail: be seen, with images of its own. It is no document of this server: its origin is none. */
const SANDBOX = "sandbox; default-src 'none'; img-src data: 'self'; style-src 'unsafe-inline'";

const OF_A_MAIL = { 'content-security-policy': SANDBOX, 'x-frame-options': 'SAMEORIGIN', 'cache-control': 'no-store' };

/** HTML of a mail, as a document. */
export function document(html: string): Answer {
  return { status: 200, headers: { ...OF_A_MAIL, 'content-type': 'text/html; charset=utf-8' }, body: html };
}

/** Octets of a mail, for a file: no browser shows them. */
export function download(body: Uint8Array | string, filename: string, type = 'application/octet-stream'): Answer {
  return { status: 200, headers: { ...OF_A_MAIL, 'content-type': type, 'content-disposition': disposition(filename) }, body };
}

/** The octets of a file, for a file. */
export function downloadFile(file: string, filename: string, type: string): Answer {
  return { ...download('', filename, type), file };
}

/** Types that are images and nothing else: SVG is a document. */
const IMAGES: ReadonlySet<string> = new Set([
  'image/png',
  'image/jpeg',
  'image/gif',
  'image/webp',
  'image/avif',
  'image/bmp',
  'image/x-icon',
  'image/vnd.microsoft.icon',
]);

export function isImage(type: string): boolean {
  return IMAGES.has(type);
}

/** An image that a mail shows: it is asked for by a document without an origin. */
export function image(body: Uint8Array, type: string): Answer {
  const headers = { ...OF_A_MAIL, 'content-type': type, 'cross-origin-resource-policy': 'cross-origin' };
  return { status: 200, headers, body };
}

/** RFC 6266, RFC 8187: a name for old programs, and the true one. No path, no control characters, and not without end. */
function disposition(filename: string): string {
  const name =
    filename
      .replaceAll(/[\p{Cc}\p{Cf}\p{Cs}/\\:*?"<>|]+/gu, '_')
      .replace(/^\.+/, '_')
      .slice(0, 150) || 'part';
  const plain = name.replaceAll(/[^\x20-\x7e]|[%;]/g, '_');
  const encoded = encodeURIComponent(name).replaceAll(/['()*]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`);
  return `attachment; filename="${plain}"; filename*=UTF-8''${encoded}`;
}
