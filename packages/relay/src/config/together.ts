// What one option says of another.

import type { ListenerConfig, RelayConfig, RouteConfig } from './config.ts';
import { isFilled } from './forms.ts';

interface Problem {
  readonly path: string;
  readonly text: string;
}

/** The configuration with what follows from others in place of what was left out. Adds what contradicts itself to `problems`. */
export function together(config: RelayConfig, problems: Problem[]): RelayConfig {
  const tell = (path: string, text: string): void => void problems.push({ path, text: `${path} ${text}` });
  const domains = new Set(config.domains.map(small));
  const isLocal = (address: string): boolean => domains.has(small(address.slice(address.lastIndexOf('@') + 1)));
  const listeners = config.listeners.map((one, i) => whole(one, config, (name, text) => tell(`listeners.${i}${name}`, text)));
  twice(listeners, tell);
  const local: readonly (readonly [path: string, address: string])[] = [
    ...config.recipients.map((address, i) => [`recipients.${i}`, address] as const),
    ...[...Object.keys(config.aliases).map((one) => ['aliases', one]), ...Object.keys(config.lists).map((one) => ['lists', one])].map(
      ([of, one]) => [`${of}.${one}`, one!] as const,
    ),
  ];
  for (const [path, address] of local) {
    if (!isLocal(address)) tell(path, `is ${JSON.stringify(address)}, whose domain is none of domains: name it there, or leave this out`);
  }
  for (const address of Object.keys(config.lists))
    if (Object.hasOwn(config.aliases, address)) tell(`lists.${address}`, 'is an alias, too: an address is one of them');
  for (const [i, route] of config.routes.entries()) checkRoute(route, (name, text) => tell(`routes.${i}${name}`, text));
  return { ...config, listeners };
}

type Tell = (name: string, text: string) => void;

/** RFC 6409 3.1, RFC 8314 3.3, RFC 2033. */
const PORTS: { readonly [kind in ListenerConfig['kind']]: number } = { mx: 25, submission: 587, lmtp: 24 };
const SUBMISSIONS = 465;

function whole(given: ListenerConfig, { tls, users }: RelayConfig, tell: Tell): ListenerConfig {
  const { kind, path, port, mode, name } = given;
  const isUnix = path !== undefined;
  if (isUnix && port !== undefined) tell('.port', 'stands beside path: a Unix socket has no port; leave one of them out');
  if (!isUnix && mode !== undefined) tell('.mode', 'is that of a Unix socket: give its path');
  if (isUnix && (given.proxies.length > 0 || given.xclient.length > 0))
    tell(given.proxies.length > 0 ? '.proxies' : '.xclient', 'names networks, and who comes by a Unix socket has no address: leave it out');
  const usual = kind === 'submission' && !isUnix ? 'required' : kind === 'mx' && tls !== undefined ? 'offered' : 'off';
  const chosen = given.tls ?? usual;
  if (chosen !== 'off' && tls === undefined)
    tell(
      given.tls === undefined ? '' : '.tls',
      `needs a certificate: give tls { cert, key } at the top${given.tls === undefined ? ', or tls: "off" here: then passwords cross the network in clear' : ''}`,
    );
  if (isUnix && chosen === 'implicit') tell('.tls', 'is implicit, which is for ports');
  if (kind === 'submission' && given.auth && users === undefined)
    tell('', 'needs users who may log in: give users { file } at the top, or auth: false here');
  if (kind !== 'submission' && !given.auth) tell('.auth', 'is for submission: nobody logs in elsewhere');
  const at = port ?? (kind === 'submission' && chosen === 'implicit' ? SUBMISSIONS : PORTS[kind]);
  const place = isUnix ? {} : { port: at };
  return { ...given, ...place, tls: chosen, name: name ?? `${kind}-${isUnix ? path.split('/').at(-1) : at}` };
}

/** Two listeners in one place, or of one name. */
function twice(listeners: readonly ListenerConfig[], tell: Tell): void {
  const seen = new Set<string>();
  for (const [i, { path, host, port, name }] of listeners.entries()) {
    const place = path ?? `${host} port ${port}`;
    if (port !== 0 && seen.has(place)) tell(`listeners.${i}`, `listens at ${place}, as another one does`);
    if (port !== 0 && seen.has(`name ${name}`))
      tell(`listeners.${i}`, `has the name ${name}, as another one does: give it a name of its own`);
    seen.add(place).add(`name ${name}`);
  }
}

const LOOPBACK = /^(?:127\.|::1$|localhost$)/;

function checkRoute(route: RouteConfig, tell: Tell): void {
  const bad = route.to === 'command' ? route.command.findIndex((one) => !isFilled(one)) : -1;
  if (bad >= 0) tell(`.command.${bad}`, 'may have {local}, {domain} and {address} in braces, and nothing else');
  if (route.to !== 'host') return;
  const { user, password, tls, hosts } = route;
  if (user !== undefined && password === undefined) tell('.user', 'stands without password, which says where the secret stands');
  if (password !== undefined && user === undefined) tell('.password', 'stands without user');
  if (password !== undefined && tls !== 'name' && !hosts.every((host) => LOOPBACK.test(host)))
    tell('.tls', `is ${JSON.stringify(tls)}, and whoever answers could read the password: give tls: "name"`);
}

function small(domain: string): string {
  return domain.toLowerCase();
}
