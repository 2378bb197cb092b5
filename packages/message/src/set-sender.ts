import { type Mailbox, mailboxKey, parseMailbox } from '@ehlo/grammar';
import { parseAddressList } from './address-list.ts';
import type { Edit } from './edits.ts';
import { type Field, unfold } from './field.ts';

/**
 * RFC 6409 8.1, RFC 5321 Appendix B: writes `Sender` if From alone does not name the sender; any other Sender is removed.
 *
 * @throws {RangeError} if the identity is no mail address with a domain
 *
 * @example
 * ```ts
 * import { MessageEditor, setSender } from '@ehlo/message';
 * const editor = new MessageEditor([setSender({ localPart: 'ann', domain: 'example.org', address: 'ann@example.org' })]);
 * editor.push(new TextEncoder().encode('From: The Boss <boss@example.org>\r\n\r\n'));
 * const edited = editor.next();
 * edited?.type === 'edited' && edited.fields.map(({ raw }) => new TextDecoder().decode(raw))
 * // → ['From: The Boss <boss@example.org>\r\n', 'Sender: ann@example.org\r\n']
 * ```
 */
export function setSender(identity: Mailbox): Edit {
  const name = 'set-sender';
  const sender = checked(identity);
  const key = mailboxKey(sender);
  const text = `Sender: ${sender.address}\r\n`;
  return {
    name,
    apply(draft) {
      const authors = draft.named('From').flatMap(keysOf);
      // RFC 5322 3.6.2: several authors need a Sender; a single author who is the sender has none.
      const needed = authors.length !== 1 || authors[0] !== key;
      const senders = draft.named('Sender');
      const right = needed ? senders.find((field) => keysOf(field).join() === key) : undefined;
      const rest = senders.filter((field) => field !== right);
      const [first, ...others] = needed && right === undefined ? rest : [undefined, ...rest];
      for (const field of others) if (field !== undefined) draft.remove(name, field);
      if (!needed || right !== undefined) return;
      if (first === undefined) draft.add(name, text);
      else draft.replace(name, first, text);
    },
  };
}

/**
 * RFC 5322 3.6.2: adds `From`, if there is none, with the sender as the author. For programs that the author runs (RFC 5321 Appendix B), not for
 * servers (RFC 6409 8 has no such fix-up).
 *
 * @throws {RangeError} if the identity is no mail address with a domain
 *
 * @example
 * ```ts
 * import { addFrom, MessageEditor } from '@ehlo/message';
 * const editor = new MessageEditor([addFrom({ localPart: 'ann', domain: 'example.org', address: 'ann@example.org' })]);
 * editor.push(new TextEncoder().encode('Subject: hello\r\n\r\n'));
 * const edited = editor.next();
 * edited?.type === 'edited' && edited.fields.map(({ raw }) => new TextDecoder().decode(raw))
 * // → ['Subject: hello\r\n', 'From: ann@example.org\r\n']
 * ```
 */
export function addFrom(identity: Mailbox): Edit {
  const name = 'add-from';
  const text = `From: ${checked(identity).address}\r\n`;
  return {
    name,
    apply(draft) {
      if (draft.named('From').length === 0) draft.add(name, text);
    },
  };
}

function checked({ address }: Mailbox): Mailbox {
  const parsed = parseMailbox(address);
  if (!parsed.ok || parsed.value.domain === '') throw new RangeError('a sender is a mail address: local-part@domain');
  return parsed.value;
}

/** The mailboxes of a field; none if it cannot be parsed. */
function keysOf(field: Field): readonly string[] {
  const { raw, valueAt } = unfold(field);
  const parsed = parseAddressList(raw.subarray(valueAt));
  if (!parsed.ok) return [];
  return parsed.value.flatMap((one) => (one.type === 'group' ? one.members : [one])).map((one) => mailboxKey(one));
}
