// One query to one server, over UDP, and over TCP where that was too small (RFC 1035 4.2, RFC 7766).

import { createSocket } from 'node:dgram';
import { connect, isIPv6 } from 'node:net';
import { type DnsQuestion, queryOf, type Response, responseOf } from './dns-message.ts';

/** Where a resolver listens. */
export interface DnsServer {
  readonly address: string;
  readonly port: number;
}

/** The response of a server; null: none in time, or none that can be read. */
export async function exchange(server: DnsServer, question: DnsQuestion, timeout: number): Promise<Response | null> {
  const { id, octets } = queryOf(question);
  const response = await overUdp(server, octets, timeout, (datagram) => responseOf(datagram, id, question));
  return response?.flag_tc ? await overTcp(server, octets, timeout, (message) => responseOf(message, id, question)) : response;
}

type Read = (octets: Uint8Array) => Response | null;

/** Each query has its own socket, and so a port that cannot be guessed (RFC 5452 9.2). Datagrams that are not its answer are ignored. */
function overUdp({ address, port }: DnsServer, query: Uint8Array, timeout: number, read: Read): Promise<Response | null> {
  return new Promise((resolve) => {
    const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
    const timer = setTimeout(() => end(null), timeout);
    let isOver = false;
    const end = (response: Response | null): void => {
      if (isOver) return;
      isOver = true;
      clearTimeout(timer);
      socket.close();
      resolve(response);
    };
    socket.on('error', () => end(null));
    socket.on('message', (datagram) => {
      const response = read(datagram);
      if (response !== null) end(response);
    });
    // A connected socket receives from that server only, and reports a closed port.
    socket.connect(port, address, () => {
      if (!isOver) socket.send(query);
    });
  });
}

/** A message has its length before it in two octets. */
function overTcp({ address, port }: DnsServer, query: Uint8Array, timeout: number, read: Read): Promise<Response | null> {
  return new Promise((resolve) => {
    const socket = connect(port, address);
    const timer = setTimeout(() => end(null), timeout);
    let received: Buffer = Buffer.alloc(0);
    const end = (response: Response | null): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(response);
    };
    socket.on('error', () => end(null));
    socket.on('close', () => end(null));
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return;
      end(read(received.subarray(2, 2 + received.readUInt16BE(0))));
    });
    const length = Buffer.alloc(2);
    length.writeUInt16BE(query.length);
    socket.write(Buffer.concat([length, query]));
  });
}
