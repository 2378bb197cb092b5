import type { OpenTransport } from '../options.ts';
import { checkPattern, filled } from './address-name.ts';
import { accepted, localSession, NO_NAME, refused } from './local-session.ts';

/** A mail directory that is open: what `store` has resolved for survives a crash, and nothing is left of what it rejects for. */
export interface MailFolder {
  store(id: string, content: AsyncIterable<Uint8Array>): Promise<unknown>;
}

export interface MaildirOptions {
  /** The folder of a recipient: a path in which `{local}`, `{domain}` and `{address}` stand for the names of the address (`addressName`). */
  readonly path: string;
  /** Opens, and makes, a mail directory. */
  readonly open: (path: string) => Promise<MailFolder>;
}

/** Folders that are kept open. */
const MOST = 1000;
/** ENOSPC, EDQUOT: what the owner of the mailbox, or of the disk, has to mend (RFC 3463 3.3, 3.4). */
const FULL: { readonly [code: string]: readonly [enhanced: string, text: string] } = {
  ENOSPC: ['4.3.1', 'The disk is full'],
  EDQUOT: ['4.2.2', 'The mailbox is full'],
};

/** Mail directories of this host. Each message is one file of its recipient's folder. */
export function maildir({ path, open }: MaildirOptions): OpenTransport {
  checkPattern(path);
  const folders = new Map<string, Promise<MailFolder>>();
  const folderOf = (place: string): Promise<MailFolder> => {
    const known = folders.get(place);
    if (known !== undefined) return known;
    if (folders.size >= MOST) folders.delete(folders.keys().next().value!);
    const opening = open(place);
    folders.set(place, opening);
    // One that could not be opened may be there the next time.
    opening.catch(() => folders.delete(place));
    return opening;
  };
  return async (_, { failed = () => {} }) =>
    localSession(async ({ recipient, content }) => {
      const place = filled(path, recipient.address);
      if (place === null) return NO_NAME;
      try {
        await (await folderOf(place)).store(crypto.randomUUID(), content);
        return accepted('Stored');
      } catch (error) {
        const full = FULL[String((error as NodeJS.ErrnoException).code)];
        if (full === undefined) throw error;
        return refused(452, ...full);
      }
    }, failed);
}
