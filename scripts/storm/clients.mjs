// Clients of a storm: many, quick, and without manners.
import { connect } from 'node:net';
import { connect as secure } from 'node:tls';

/** What a client waits for, at the most, before the storm has failed. */
const PATIENCE = 20_000;

export const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** A connection, once it stands; null where it does not. */
export function dial(port) {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    socket.on('error', () => resolve(null));
    socket.once('connect', () => resolve(socket));
  });
}

/** Waits for a reply that is whole; null where the connection ends first. */
function reply(socket) {
  return new Promise((resolve) => {
    let text = '';
    const done = (result) => {
      clearTimeout(timer);
      socket.off('data', data).off('close', ended).off('end', ended);
      resolve(result);
    };
    const data = (bytes) => {
      text += bytes.toString('latin1');
      if (/^\d{3} [^\n]*\n$/m.test(text)) done(text);
    };
    const ended = () => done(null);
    const timer = setTimeout(ended, PATIENCE);
    socket.on('data', data).once('close', ended).once('end', ended);
    if (socket.destroyed) ended();
  });
}

export async function say(socket, line) {
  const answer = reply(socket);
  socket.write(`${line}\r\n`);
  return await answer;
}

/** Milliseconds until a client that comes now has its greeting, or 421; infinite where it gets neither. */
export async function greeted(port, implicitTls = false) {
  const begun = performance.now();
  const socket = implicitTls ? secure({ port, host: '127.0.0.1', rejectUnauthorized: false }) : connect(port, '127.0.0.1');
  socket.on('error', () => {});
  const greeting = await reply(socket);
  const took = performance.now() - begun;
  socket.destroy();
  return greeting === null ? Number.POSITIVE_INFINITY : took;
}

/** Carries out `deed` so many times, `abreast` at a time. */
export async function many(count, abreast, deed) {
  let next = 0;
  const worker = async () => {
    while (next < count) await deed(next++);
  };
  await Promise.all(Array.from({ length: abreast }, worker));
}

/** Up to 354, or as far as `stage` says. */
export async function reach(socket, stage) {
  const lines = ['EHLO storm.example', 'MAIL FROM:<a@storm.example>', 'RCPT TO:<b@mx.example>', 'DATA'];
  if ((await reply(socket)) === null) return;
  for (const line of lines.slice(0, stage)) if ((await say(socket, line)) === null) return;
}
