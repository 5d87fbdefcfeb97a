import { once } from 'node:events';
import { connect, createServer } from 'node:net';

/** Hands mails, {from, to, raw}, to an SMTP server, one after the other over one connection. */
export async function deliver(address, mails) {
  const [host, port] = address.split(':');
  const socket = connect(Number(port), host);
  const answers = lines(socket);
  const say = async (line, code) => {
    if (line !== null) socket.write(line + '\r\n');
    let answer;
    do ({ value: answer } = await answers.next());
    while (answer?.[3] === '-');
    if (!answer?.startsWith(code)) throw new Error(`SMTP: ${line?.slice(0, 60)}: ${answer}`);
  };
  await say(null, '220');
  await say('EHLO story.example', '250');
  for (const { from, to, raw } of mails) {
    await say(`MAIL FROM:<${from}>`, '250');
    await say(`RCPT TO:<${to}>`, '250');
    await say('DATA', '354');
    await say(raw.replace(/^\./gm, '..').replace(/\r?\n/g, '\r\n') + '\r\n.', '250');
  }
  await say('QUIT', '221');
  socket.destroy();
}

/** A mail server that refuses every recipient with these words. */
export async function startRefusal(words) {
  const sockets = new Set();
  const server = createServer(async (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.write('220 sink.example\r\n');
    for await (const line of lines(socket)) {
      const verb = line.slice(0, 4).toUpperCase();
      socket.write(verb === 'RCPT' ? `550 5.1.1 ${words}\r\n` : verb === 'QUIT' ? '221 bye\r\n' : '250 ok\r\n');
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const stop = async () => {
    sockets.forEach((socket) => socket.destroy());
    await new Promise((done) => server.close(done));
  };
  return { port: server.address().port, stop };
}

async function* lines(socket) {
  let rest = '';
  for await (const chunk of socket) {
    const parts = (rest + chunk).split('\r\n');
    rest = parts.pop();
    yield* parts;
  }
}
