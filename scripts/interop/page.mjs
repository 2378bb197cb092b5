// What a page does: nothing here knows that there is no Node. It is bundled with the transcripts of test-vectors.
import { connectOn, fromStreams, serveOn } from '@ehlo/driver';
import { replayTranscript, variants } from '@ehlo/proof';
import { scram } from '@ehlo/sasl';

/** Replays every transcript, however its input is cut and however late its answers are; throws where one comes out otherwise. */
export function replayAll(files) {
  let transcripts = 0;
  let replays = 0;
  for (const transcript of files.flatMap((file) => file.transcripts)) {
    for (const options of variants(transcript)) {
      replayTranscript(transcript, options);
      replays++;
    }
    transcripts++;
  }
  return { transcripts, replays };
}

/** Client and server speak to each other: AUTH by SCRAM, and a message of a MiB; says what arrived, and who was told what. */
export async function converse() {
  const [up, down] = [new TransformStream(), new TransformStream()];
  const mechanisms = scram();
  let arrived = '';
  const server = serveOn(
    {
      address: { address: '', port: 0 },
      accept: (connected) => connected(fromStreams({ readable: up.readable, writable: down.writable })),
      close: async () => {},
    },
    {
      hostname: 'mx.example.org',
      preset: 'sink',
      auth: { mechanisms, inClear: true, lookup: (user) => (user === 'joe' ? 'pencil' : null) },
    },
    {
      async message({ body }, { identity }) {
        arrived = `${identity}: ${(await body.bytes()).length}`;
        return true;
      },
    },
  );
  const client = await connectOn(fromStreams({ readable: down.readable, writable: up.writable }), {
    hostname: 'client.example',
    credentials: 'cleartext',
    auth: { mechanisms, user: 'joe', password: 'pencil' },
  });
  const { outcomes } = await client.send(
    { reversePath: 'joe@client.example', recipients: ['ann@example.org'] },
    '.line\r\n'.repeat(150_000),
  );
  await client.close();
  await server.close();
  return { arrived, outcome: outcomes[0].status };
}
