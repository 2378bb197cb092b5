// Sends a message with nodemailer: host, port, sender, file and recipients. Its exit code says whether all recipients have it.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const { createTransport } = createRequire(new URL('../../packages/ehlo/package.json', import.meta.url))('nodemailer');
const [host, port, from, message, ...to] = process.argv.slice(2);
const client = createTransport({
  host,
  port: Number(port),
  secure: false,
  ignoreTLS: true,
  name: 'client.example',
  greetingTimeout: 8000,
  socketTimeout: 8000,
});
try {
  const { rejected = [] } = await client.sendMail({ envelope: { from, to }, raw: readFileSync(message) });
  process.exitCode = rejected.length > 0 ? 1 : 0;
} catch (error) {
  console.error(String(error));
  process.exitCode = 1;
}
