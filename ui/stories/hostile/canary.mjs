import { once } from 'node:events';
import { createServer } from 'node:http';

const PICTURE = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAoAAAAKCAYAAACNMs+9AAAAFUlEQVR42mNk+M9Qz0AEYBxVSF+FABJADveWkH6oAAAAAElFTkSuQmCC',
  'base64',
);

/** What must set off every alarm, so that silence means something. */
const RING = '<link rel=icon href="data:,"><script>top.__xss=1;alert(1)</script><img src="/rings.png">';

/** A server nobody should call; it answers with a picture and remembers who came. */
export async function startCanary() {
  const calls = [];
  const server = createServer((request, response) => {
    calls.push({ path: request.url, agent: request.headers['user-agent'] ?? '' });
    const page = request.url === '/ring';
    response.setHeader('Content-Type', page ? 'text/html' : 'image/png');
    response.end(page ? RING : PICTURE);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  const stop = () => new Promise((done) => server.close(done));
  return { url: `http://127.0.0.1:${port}`, host: `127.0.0.1:${port}`, calls, stop };
}
