// One whole federation for a test: the real release binary (`omadata demo`), on ports of its own, with its data in a
// temporary folder, and where asked with a foreign login provider and a foreign member.

import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePorts } from './loopback.mjs';
import { startProvider } from './provider.mjs';
import { startRecipient } from './recipient.mjs';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
export const BINARY = process.env.OMADATA_BINARY
  ?? join(process.env.CARGO_TARGET_DIR ?? join(ROOT, 'target'), 'release', 'omadata');
export const ARTEFACTS = process.env.OMADATA_ARTEFACTS ?? join(ROOT, 'tests', 'artefacts');
const CITIES = ['helsinki', 'espoo', 'turku', 'oulu'];
const READY_WITHIN = 30_000;
const STOP_WITHIN = 15_000;

// `omadata demo --base-port N` puts the anchor on N, the cities on N+1 … N+4, the demo login provider on N+9 and the city
// service's page on N+10. The foreign parts of the test take the two ports after those.
const PORTS = { provider: 9, foreignProvider: 11, recipient: 12, count: 13 };

export class World {
  #child;
  #exited;
  #directory;
  #parts = [];

  /**
   * @param {{name: string, foreignProvider?: boolean, claimsParameter?: boolean, protectedMessages?: boolean, recipient?: {uses: (entityId: string) => object[]}}} options
   */
  static async start(options) {
    const world = new World();
    try {
      await world.#start(options);
    } catch (error) {
      await world.stop().catch(() => {});
      throw error;
    }
    return world;
  }

  async #start({ name, foreignProvider = false, claimsParameter = true, protectedMessages = false, recipient }) {
    const base = await freePorts(PORTS.count);
    this.#directory = await mkdtemp(join(tmpdir(), 'omadata-world-'));
    const inside = (file) => join(this.#directory, file);
    const anchor = `http://anchor.localhost:${base}`;
    const args = ['demo', '--data-dir', inside('data'), '--base-port', String(base), '--ready-file', inside('ready.json')];

    if (foreignProvider) {
      const clientSecret = randomBytes(24).toString('base64url');
      await writeFile(inside('client-secret'), clientSecret, { mode: 0o600 });
      this.provider = await startProvider({
        issuer: `http://login.localhost:${base + PORTS.foreignProvider}`,
        cities: Object.fromEntries(CITIES.map((city, index) => [city, `http://${city}.localhost:${base + 1 + index}`])),
        clientSecret,
        accountsFile: inside('residents.json'),
        claimsParameter,
        protectedMessages,
      });
      this.#parts.push(this.provider);
      args.push('--login-issuer', this.provider.issuer);
      if (protectedMessages) args.push('--login-protected');
      else args.push('--login-client-secret-file', inside('client-secret'));
    }
    if (recipient) {
      this.recipient = await startRecipient({ port: base + PORTS.recipient, anchor, ...recipient });
      this.#parts.push(this.recipient);
      args.push('--member', this.recipient.entityId);
    }

    await mkdir(ARTEFACTS, { recursive: true });
    this.logFile = join(ARTEFACTS, `${name}.log`);
    // What greets the newcomer goes to stdout, the node's log to stderr.
    const greeting = await open(join(ARTEFACTS, `${name}.out`), 'w');
    const log = await open(this.logFile, 'w');
    this.#child = spawn(BINARY, args, { stdio: ['ignore', greeting.fd, log.fd], cwd: this.#directory });
    this.#exited = new Promise((done) => {
      this.#child.once('error', (error) => done({ error: error.message }));
      this.#child.once('exit', (code, signal) => done({ code, signal }));
    });
    await Promise.all([greeting.close(), log.close()]);

    const ready = await this.#ready(inside('ready.json'));
    Object.assign(this, {
      anchor: ready.anchor,
      nodes: ready.nodes,
      servicePage: ready.service_page,
      loginIssuer: ready.login_issuer,
      residents: ready.residents,
      pid: this.#child.pid,
    });
    await writeFile(inside('residents.json'), JSON.stringify(ready.residents), { mode: 0o600 });
  }

  async #ready(file) {
    let ended;
    this.#exited.then((how) => { ended = how; });
    for (const limit = Date.now() + READY_WITHIN; Date.now() < limit;) {
      if (ended) throw new Error(`${BINARY} ended before it was ready (${JSON.stringify(ended)}): see ${this.logFile}`);
      const text = await readFile(file, 'utf8').catch(() => undefined);
      if (text !== undefined) return JSON.parse(text);
      await new Promise((next) => setTimeout(next, 50));
    }
    throw new Error(`${BINARY} was not ready after ${READY_WITHIN} ms: see ${this.logFile}`);
  }

  /** The named resident of an outcome. */
  resident(username) {
    const found = this.residents.find((resident) => resident.username === username);
    if (!found) throw new Error(`the demo has no resident ${username}`);
    return found;
  }

  /** Another process of the program over a city's own store: what it prints and how it ends. */
  async command(city, ...args) {
    const file = join(this.#directory, 'data', `${city}.toml`);
    const child = spawn(BINARY, [...args, '--config', file], { stdio: ['ignore', 'pipe', 'pipe'], cwd: this.#directory });
    const read = async (stream) => {
      let text = '';
      for await (const chunk of stream.setEncoding('utf8')) text += chunk;
      return text;
    };
    const ended = new Promise((done, fail) => {
      child.once('error', fail);
      child.once('close', done);
    });
    const [code, printed, complained] = await Promise.all([ended, read(child.stdout), read(child.stderr)]);
    return { code, printed, complained };
  }

  /** What the node logged so far. */
  async log() {
    return readFile(this.logFile, 'utf8');
  }

  /** Ctrl-C, and everything else of the test. Fails when the process does not end by itself with status 0. */
  async stop() {
    let how = { code: 0 };
    if (this.#child) {
      this.#child.kill('SIGINT');
      const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_WITHIN);
      how = await this.#exited;
      clearTimeout(timer);
      this.#child = undefined;
    }
    for (const part of this.#parts) await part.stop();
    const leaked = this.residents && await this.#identifiersInLog();
    if (this.#directory) await rm(this.#directory, { recursive: true, force: true });
    if (how.error || how.code !== 0) throw new Error(`omadata demo ended with ${JSON.stringify(how)}: see ${this.logFile}`);
    if (leaked) throw new Error(`${leaked} national identifiers stand in ${this.logFile}`);
  }

  /** How many residents' identifiers the log has, which must be none. */
  async #identifiersInLog() {
    const log = await this.log();
    return this.residents.filter(({ identifier }) => log.includes(identifier)).length;
  }
}
