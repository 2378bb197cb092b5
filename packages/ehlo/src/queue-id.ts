let counter = 0;

/** A name for a message that no other has: time, process and a count, as an Atom (RFC 5321 4.4, the ID clause). */
export function newQueueId(): string {
  counter++;
  return `${Date.now().toString(36)}P${process.pid.toString(36)}Q${counter.toString(36)}`.toUpperCase();
}
