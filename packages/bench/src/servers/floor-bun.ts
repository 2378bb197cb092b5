// The floor of connections that wait, by Bun's own sockets: a greeting, and 250 for each line.
import { GREETING, repliesTo } from './lines.ts';
import { listening } from './report.ts';

interface Socket {
  write(bytes: Uint8Array): number;
  setNoDelay(on: boolean): void;
}

interface Handlers {
  open(socket: Socket): void;
  data(socket: Socket, bytes: Uint8Array): void;
}

declare const Bun: {
  listen(options: { readonly hostname: string; readonly port: number; readonly socket: Handlers }): { readonly port: number };
};

const { port } = Bun.listen({
  hostname: '127.0.0.1',
  port: 0,
  socket: {
    open(socket) {
      socket.setNoDelay(true);
      socket.write(GREETING);
    },
    data: (socket, bytes) => void socket.write(repliesTo(bytes)),
  },
});
listening(port);
