import type { JobSteps, ShownJob, WishTold } from '@ehlo/relay/control';
import type { QueueSource } from '@ehlo/web';
import { QueueClient } from './queue-client.ts';

/** The queue of a relay, by its control socket, for the page; it changes nothing unless it is told that it may. */
export function queueSource(socket: string, operate: boolean): QueueSource {
  const client = new QueueClient(socket);
  const wish = async (what: string, id: string): Promise<string> => {
    for await (const { result } of client.lines<WishTold>('POST', what, [['id', id]])) return result;
    return 'gone';
  };
  return {
    status: () => client.status(),
    jobs: (filters) => client.lines<ShownJob>('GET', 'jobs', filters),
    why: async (id) => {
      for await (const told of client.lines<JobSteps>('GET', 'why', [['id', id]])) return told;
      return null;
    },
    ...(operate ? { wish } : {}),
  };
}
