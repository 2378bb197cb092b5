import { type Answer, Refused } from './answer.ts';

/** A request, as routes see it. */
export interface Asked {
  readonly query: URLSearchParams;
  /** What stands in the path for a name in braces; decoded. */
  readonly params: { readonly [name: string]: string };
  /** Aborts when the client is gone. */
  readonly signal: AbortSignal;
  /** The body as JSON; `undefined` where there is none. Throws `Refused`. */
  body(): Promise<unknown>;
}

/** A method and a path, and what is done. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** `/api/mails/{id}`: a name in braces stands for one segment. */
  readonly path: string;
  readonly answer: (asked: Asked) => Answer | Promise<Answer>;
}

/** The route of a request, and the segments that stand for its names. Throws `Refused`: there is no such path, or no such method of it. */
export function routed(
  routes: readonly Route[],
  method: string,
  path: string,
): { readonly route: Route; readonly params: Asked['params'] } {
  const segments = path.split('/');
  const fitting = routes.flatMap((route) => {
    const params = matched(route.path.split('/'), segments);
    return params === null ? [] : [{ route, params }];
  });
  const found = fitting.find(({ route }) => route.method === (method === 'HEAD' ? 'GET' : method));
  if (found !== undefined) return found;
  if (fitting.length === 0) throw new Refused(404, 'there is nothing here');
  throw new Refused(405, `here are ${fitting.map(({ route }) => route.method).join(', ')}`);
}

function matched(pattern: readonly string[], segments: readonly string[]): Asked['params'] | null {
  if (pattern.length !== segments.length) return null;
  const params: { [name: string]: string } = {};
  for (const [i, part] of pattern.entries()) {
    const segment = segments[i]!;
    const [, name] = /^\{(.+)\}$/.exec(part) ?? [];
    if (name === undefined) {
      if (part !== segment) return null;
      continue;
    }
    try {
      params[name] = decodeURIComponent(segment);
    } catch {
      return null;
    }
    if (params[name] === '') return null;
  }
  return params;
}

/** A whole number of a query, within its bounds. Throws `Refused`. */
export function numberOf(query: URLSearchParams, name: string, { least, most, otherwise }: Bounds): number {
  const text = query.get(name);
  if (text === null || text === '') return otherwise;
  const number = Number(text);
  if (!/^[0-9]{1,15}$/.test(text) || number < least) throw new Refused(400, `${name} is a whole number from ${least}`);
  return Math.min(number, most);
}

interface Bounds {
  readonly least: number;
  readonly most: number;
  readonly otherwise: number;
}
