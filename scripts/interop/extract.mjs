// Reads messages out of a recording, by lines and by nothing of ours: this is what the server is judged by.

/**
 * The transactions of a session that reached DATA, or the last chunk: { reversePath, forwardPaths, content, chunks, reply, replies }.
 * In LMTP there is a reply for each recipient, `reply` is the first. Texts are latin1, one character an octet. Throws if the recording is
 * no SMTP session.
 */
export function transactions({ client, server }) {
  const replies = splitReplies(server);
  const found = [];
  let open = empty();
  let lmtp = false;
  let at = 0;
  const nextLine = () => {
    const end = client.indexOf('\r\n', at);
    if (end < 0) return null;
    const line = client.slice(at, end);
    at = end + 2;
    return line;
  };
  const nextReply = (to) => replies.shift() ?? fail(`no reply to ${to}`);
  const finish = (content) => {
    const told = lmtp ? open.forwardPaths.map(nextReply) : [nextReply('the end of data')];
    found.push({ ...open, content, reply: told[0], replies: told });
    open = empty();
  };
  nextReply('the connection');
  for (let line = nextLine(); line !== null; line = nextLine()) {
    const chunk = /^BDAT ([0-9]+)( LAST)?$/i.exec(line);
    if (chunk !== null) {
      // RFC 3030 2: the octets follow the command whether it is refused or not.
      const octets = client.slice(at, at + Number(chunk[1]));
      at += octets.length;
      open.chunks.push(octets);
      if (chunk[2] !== undefined) finish(open.chunks.join(''));
      else nextReply(line);
      continue;
    }
    const reply = nextReply(line);
    if (/^LHLO /i.test(line)) lmtp = true;
    const path = /^(?:MAIL FROM|RCPT TO):(<.*?>)/i.exec(line)?.[1];
    if (/^MAIL /i.test(line) && reply.startsWith('250')) open = { ...empty(), reversePath: path };
    else if (/^RCPT /i.test(line) && reply.startsWith('250')) open.forwardPaths.push(path);
    else if (/^DATA$/i.test(line) && reply.startsWith('354')) finish(readContent(nextLine));
  }
  if (at !== client.length) fail(`the client's side ends within a line: ${JSON.stringify(client.slice(at, at + 80))}`);
  // RFC 5321 3.8: 421 may come to no command at all, and then it is the last.
  if (replies[0]?.startsWith('421 ')) replies.shift();
  if (replies.length > 0) fail(`a reply to nothing: ${replies[0]}`);
  return found;
}

function empty() {
  return { forwardPaths: [], chunks: [] };
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
