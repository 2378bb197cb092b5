// A server that does nothing else: no signals, no standard input. It says where it listens, and each time that a timer is set: one stands
// between an accept that finds no descriptor and the next one.
import { serve } from 'ehlo';

const server = await serve({ port: 0, hostname: 'mx.example.org', preset: 'sink' }, {});
console.log(server.address.port);
const { setTimeout } = globalThis;
globalThis.setTimeout = (callback, wait) => {
  if (wait === 100) console.log('waits');
  return setTimeout(callback, wait);
};
