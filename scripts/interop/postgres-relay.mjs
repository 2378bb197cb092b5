// A relay of postgres.mjs: takes jobs from the queue, and gives every message to the server on a port of this machine. Arguments: URL of the database,
// port, milliseconds of a lease, jobs at once.
import { Dispatcher, deliverySettings } from '@ehlo/delivery';
import { Runner, wallClock } from '@ehlo/relay';
import { openPostgres } from '@ehlo/relay/postgres';
import { connect } from 'ehlo';

const [url, port, lease, most] = process.argv.slice(2);
const failed = (error, what) => console.error(`${what ?? 'idle'}: ${error.message}`);
const queue = await openPostgres({ url, lease: Number(lease), connections: 5, patience: 5000, failed });
const means = {
  queue,
  schedule: wallClock,
  lookUp: async () => ({ status: 'failed', security: 'indeterminate', ttl: 0 }),
  fetchPolicy: async () => ({ text: null }),
  open,
  boundary: () => crypto.randomUUID(),
  failed,
};
const settings = deliverySettings({ hostname: 'relay.example', preset: 'test', expiry: 600_000 });
new Runner(new Dispatcher(settings, Math.random), means, {
  hostname: 'relay.example',
  most: Number(most),
  poll: 200,
  renewal: Number(lease) / 3,
}).start();
console.log('running');

async function open() {
  const client = await connect({ host: '127.0.0.1', port: Number(port), hostname: 'relay.example', starttls: 'off' });
  let isEnded = () => {};
  const ended = new Promise((resolve) => {
    isEnded = resolve;
  });
  return {
    opened: { extensions: {}, tls: false, verified: false },
    async send({ reversePath, recipients }, content) {
      try {
        const { outcomes } = await client.send({ reversePath, recipients: recipients.map(({ address }) => address) }, content);
        return { outcomes: outcomes.map(outcomeOf), open: true };
      } catch (error) {
        failed(error, 'send');
        return { outcomes: recipients.map(() => ({ status: 'unknown', reply: null })), open: false };
      }
    },
    close() {
      void client
        .close()
        .catch(() => {})
        .finally(isEnded);
    },
    ended,
  };
}

function outcomeOf({ status, phase, reply = null, cause = 'connection' }) {
  switch (status) {
    case 'accepted':
      return { status, reply };
    case 'refused':
      return { status, stage: phase, permanent: reply.code >= 500, reply };
    case 'unsent':
      return { status, stage: phase, cause, reply };
    default:
      return { status: 'unknown', reply };
  }
}
