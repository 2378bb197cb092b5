/** The first descriptor that systemd hands over. */
const FIRST = 3;

/**
 * The sockets that systemd has opened for this process (sd_listen_fds), by their names: `FileDescriptorName=` of a socket unit, where the name of a listener
 * stands. None where they are for another process.
 */
export function systemdSockets(env: { readonly [name: string]: string | undefined }, pid: number): ReadonlyMap<string, number> {
  if (env.LISTEN_PID !== String(pid) || !/^[0-9]{1,4}$/.test(env.LISTEN_FDS ?? '')) return new Map();
  const names = (env.LISTEN_FDNAMES ?? '').split(':');
  return new Map(Array.from({ length: Number(env.LISTEN_FDS) }, (_, i) => [names[i] || `LISTEN_FD_${FIRST + i}`, FIRST + i]));
}
