// The peer in its best settings: no look-up, no log, no AUTH, no STARTTLS, each message read and dropped.
import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';
import { listening, received } from './report.ts';

const server = new SMTPServer({
  name: 'bench.example',
  disableReverseLookup: true,
  logger: false,
  authOptional: true,
  disabledCommands: ['AUTH', 'STARTTLS'],
  onConnect: (_session, callback) => callback(),
  onMailFrom: (_address, _session, callback) => callback(),
  onRcptTo: (_address, _session, callback) => callback(),
  onData(stream, _session, callback) {
    stream.resume();
    stream.on('end', () => {
      received.octets += stream.byteLength;
      received.messages++;
      callback();
    });
  },
});
server.on('error', () => {});
const { server: socket } = server;
server.listen(0, '127.0.0.1', () => listening((socket.address() as AddressInfo).port));
