// Reads messages out of a recording, by lines and by nothing of ours: this is what the server is judged by.

/**
 * The transactions of a session that reached DATA: { reversePath, forwardPaths, content, reply }. Texts are latin1, one
 * character an octet. Throws if the recording is no SMTP session.
 */
export function transactions({ client, server }) {
  const replies = splitReplies(server);
  const found = [];
  let open = { forwardPaths: [] };
  let at = 0;
  const nextLine = () => {
    const end = client.indexOf('\r\n', at);
    if (end < 0) return null;
    const line = client.slice(at, end);
    at = end + 2;
    return line;
  };
  const nextReply = (to) => replies.shift() ?? fail(`no reply to ${to}`);
  nextReply('the connection');
  for (let line = nextLine(); line !== null; line = nextLine()) {
    const reply = nextReply(line);
    const path = /^(?:MAIL FROM|RCPT TO):(<.*?>)/i.exec(line)?.[1];
    if (/^MAIL /i.test(line) && reply.startsWith('250')) open = { reversePath: path, forwardPaths: [] };
    else if (/^RCPT /i.test(line) && reply.startsWith('250')) open.forwardPaths.push(path);
    else if (/^DATA$/i.test(line) && reply.startsWith('354')) {
      const content = readContent(nextLine);
      found.push({ ...open, content, reply: nextReply('the end of data') });
      open = { forwardPaths: [] };
    }
  }
  if (at !== client.length) fail(`the client's side ends within a line: ${JSON.stringify(client.slice(at, at + 80))}`);
  // RFC 5321 3.8: 421 may come to no command at all, and then it is the last.
  if (replies[0]?.startsWith('421 ')) replies.shift();
  if (replies.length > 0) fail(`a reply to nothing: ${replies[0]}`);
  return found;
}

/** RFC 5321 4.5.2, as the receiver does it. */
function readContent(nextLine) {
  const lines = [];
  for (;;) {
    const line = nextLine() ?? fail('the data does not end');
    if (line === '.') return lines.map((text) => `${text}\r\n`).join('');
    lines.push(line.startsWith('.') ? line.slice(1) : line);
  }
}

/** Each reply with all of its lines. */
function splitReplies(server) {
  const replies = [];
  let lines = [];
  const parts = server.split('\r\n');
  if (parts.pop() !== '') fail("the server's side ends within a line");
  for (const line of parts) {
    if (!/^[2-5][0-5][0-9]([ -]|$)/.test(line)) fail(`no reply: ${JSON.stringify(line)}`);
    lines.push(line);
    if (line[3] === '-') continue;
    replies.push(lines.join('\n'));
    lines = [];
  }
  return replies;
}

function fail(why) {
  throw new Error(`recording: ${why}`);
}
