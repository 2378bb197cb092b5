// What a configuration allows to which clients, as text for people.

import type { ListenerConfig } from '../config/config.ts';
import type { Policy } from '../front/policy.ts';

/** One sentence for each thing that is open, and for what a stranger would not expect. */
export function sentencesOf(policy: Policy): readonly string[] {
  const { config, directory } = policy;
  const { domains, recipients, queue, postmaster } = config;
  const { recipients: mailboxes, aliases, lists } = directory.counts;
  const all = recipients.filter((one) => one.startsWith('*@')).map((one) => one.slice(2));
  return [
    ...config.listeners.flatMap((one) => ofListener(one, policy)),
    domains.length === 0
      ? 'No domain is taken mail for.'
      : `Mail is taken for ${domains.join(', ')}: ${count(mailboxes, 'mailbox', 'mailboxes')}, ${count(aliases, 'alias', 'aliases')}, ${count(lists, 'list', 'lists')}. Others are refused.`,
    ...(all.length === 0
      ? []
      : [
          `Everybody at ${all.join(', ')} is taken: who turns out to be unknown later gets the sender a notice, which may be nobody's who sent it.`,
        ]),
    `Mail to postmaster goes to ${postmaster}.`,
    ...(queue.kind === 'memory' ? ['Mail waits in memory: it is lost when the relay ends.'] : []),
  ];
}

function ofListener(listener: ListenerConfig, { config }: Policy): readonly string[] {
  const { kind, host, port, path, name, tls, auth, openRelay, proxies, xclient } = listener;
  const { relayFrom, domains, users } = config;
  const where = `${name} (${path ?? `${host} port ${port}`})`;
  const ours = domains.length === 0 ? 'postmaster' : `${domains.join(', ')} and postmaster`;
  const networks =
    relayFrom.length === 0 ? 'Nobody may send elsewhere' : `Only ${relayFrom.join(', ')} may send elsewhere, without a login`;
  const isLogin = kind === 'submission' && auth;
  const senders = Object.keys(users?.senders ?? {}).length === 0 ? 'as any address' : 'as the addresses in users.senders';
  const safe = tls === 'off' ? 'PASSWORDS CROSS THE NETWORK IN CLEAR' : 'TLS is demanded';
  return [
    openRelay
      ? `${where}: ANYBODY may send to ANYBODY, for openRelay is on.`
      : isLogin
        ? `${where}: users who have logged in may send to anybody, ${senders}; nobody else may send. ${tls === 'offered' ? 'Logins wait for TLS' : safe}.`
        : `${where}: anybody may send to ${ours}. ${networks}.`,
    ...(proxies.length === 0 ? [] : [`${where}: ${proxies.join(', ')} may say whose connection it is (PROXY), and is believed.`]),
    ...(xclient.length === 0
      ? []
      : [`${where}: ${xclient.join(', ')} may say whom it speaks for, and who has logged in (XCLIENT), and is believed.`]),
  ];
}

function count(number: number, one: string, many: string): string {
  return `${number} ${number === 1 ? one : many}`;
}
