import { execFile, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const binary = process.env.DESKBELL_BINARY ?? fileURLToPath(new URL('../../../dist/deskbell', import.meta.url));
const READY_MS = 60_000;

export const OWNER = { name: 'Ines Moreau', email: 'ines@fjellkant.example', password: 'correct horse battery' };
export const COMPANY = 'Fjellkant Outdoor';
export const SUPPORT = 'support@fjellkant.example';

/**
 * The built executable on a folder and ports of its own. setUp makes the owner
 * beforehand, args go to serve, setUpArgs to setup. stop ends it by its own pid.
 */
export async function startDesk({ setUp = true, args = [], setUpArgs = [] } = {}) {
  const dir = await mkdtemp(join(tmpdir(), 'deskbell-story-'));
  const data = join(dir, 'data');
  if (setUp) await promisify(execFile)(binary, ['setup', '--dir', data, ...owner(), ...setUpArgs]);
  const child = spawn(binary, ['serve', '--dir', data, '--http', '127.0.0.1:0', ...args]);
  const gone = new Promise((done) => child.once('exit', done));
  const kill = () => child.kill('SIGTERM');
  process.once('exit', kill); // whoever interrupts the stories leaves no desk behind
  const stop = async () => {
    process.off('exit', kill);
    kill();
    await gone;
    await rm(dir, { recursive: true, force: true });
  };
  try {
    return new Desk(await ready(child, { link: !setUp, smtp: args.includes('--smtp') }), stop);
  } catch (err) {
    await stop();
    throw err;
  }
}

function owner() {
  const { name, email, password } = OWNER;
  return ['--company', COMPANY, '--name', name, '--email', email, '--password', password, '--address', SUPPORT];
}

/** What serve prints once it accepts requests. */
function ready(child, wanted) {
  return new Promise((done, fail) => {
    let text = '';
    const timer = setTimeout(() => fail(new Error(`the desk is not ready: ${text}`)), READY_MS);
    const read = (chunk) => {
      text += chunk;
      const url = /ready on (\S+)\n/.exec(text)?.[1];
      const smtp = /Mail is taken on (\S+)\n/.exec(text)?.[1];
      const link = /works once\): (\S+)\n/.exec(text)?.[1];
      if (!url || (wanted.smtp && !smtp) || (wanted.link && !link)) return;
      clearTimeout(timer);
      done({ url, smtp, link });
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.once('exit', (code) => fail(new Error(`the desk ended with ${code}: ${text}`)));
  });
}

/** A desk that runs, and its API in the owner's name. */
class Desk {
  #token;

  constructor({ url, link, smtp }, stop) {
    this.url = url;
    this.link = link;
    this.smtp = smtp;
    this.stop = stop;
  }

  /** Signs the owner in, once. */
  async signIn() {
    this.#token ??= this.request('POST', '/api/collections/agents/auth-with-password', {
      identity: OWNER.email,
      password: OWNER.password,
    });
    return this.#token;
  }

  async call(method, path, body) {
    return this.request(method, path, body, (await this.signIn()).token);
  }

  async request(method, path, body, token = '') {
    const answer = await fetch(this.url + path, {
      method,
      headers: { 'Content-Type': 'application/json', Authorization: token },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text ? JSON.parse(text) : null;
  }

  /** A mail of a customer of the sandbox; the same as its page sends. */
  write(subject, text, from = { name: 'Maren Holt', email: 'maren@example.net' }) {
    return this.call('POST', '/api/desk/sandbox/mails', { from, subject, text });
  }

  tickets() {
    return this.call('GET', '/api/desk/tickets?limit=200').then((list) => list.items);
  }

  /** Waits until so many tickets are there. */
  waitTickets(n, ms = 20_000) {
    return until(`${n} tickets`, async () => (await this.tickets()).length >= n && this.tickets(), ms);
  }
}

/** Asks until the answer is truthy. */
export async function until(what, ask, ms = 20_000) {
  const end = Date.now() + ms;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (Date.now() > end) throw new Error(`not within ${ms / 1000} s: ${what}`);
    await new Promise((done) => setTimeout(done, 100));
  }
}
