import { decodeUtf8, encodeUtf8 } from './bytes.ts';
import type { Mechanism } from './mechanism.ts';
import { identityOf, isIdentity } from './names.ts';
import { challenge, EMPTY, giveUp, lastResponse, refuse, verify } from './steps.ts';

/** EXTERNAL (RFC 4422 appendix A): the client is who another layer says it is, such as its certificate under TLS. */
export function external(): Mechanism {
  return {
    name: 'EXTERNAL',
    clientFirst: true,
    bound: false,
    reveals: false,
    asks: ['verify'],
    // With a password or a token at hand there is no reason to think that another layer knows the client.
    suits: ({ credentials: { password, token } }) => password === undefined && token === undefined,
    client: ({ credentials: { authzid = '' } }) =>
      authzid === '' || isIdentity(authzid) ? lastResponse(encodeUtf8(authzid)) : giveUp('credentials'),
    server: () =>
      challenge(EMPTY, (response) => {
        const authzid = identityOf(response);
        return authzid === undefined ? refuse('malformed') : verify({ type: 'external', authzid }, authzid);
      }),
  };
}

/** RFC 4505 2: a token has 255 characters at the most, and addresses are shorter, too. */
const LONGEST_TRACE = 255;

/** ANONYMOUS (RFC 4505): anybody. The trace, if any, is the `user` of the client's credentials. */
export function anonymous(): Mechanism {
  return {
    name: 'ANONYMOUS',
    clientFirst: true,
    bound: false,
    reveals: false,
    asks: ['verify'],
    suits: ({ credentials: { password, token } }) => password === undefined && token === undefined,
    client: ({ credentials: { user = '' } }) => (isTrace(user) ? lastResponse(encodeUtf8(user)) : giveUp('credentials')),
    server: () =>
      challenge(EMPTY, (response) => {
        const trace = decodeUtf8(response);
        return trace !== null && isTrace(trace) ? verify({ type: 'anonymous', trace }) : refuse('malformed');
      }),
  };
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROLS = /[\0-\x1f\x7f-\x9f]/;

function isTrace(text: string): boolean {
  return !CONTROLS.test(text) && [...text].length <= LONGEST_TRACE;
}
