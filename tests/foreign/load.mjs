// The load program: one recipient, one resident's real permission, exchanges one after the other, a fresh proof for each.
// It signs before it starts the clock, so that the figures are the node's and the network's (loopback).
//
//   node load.mjs [exchanges]        prints one table; ends with status 1 where a bound is broken
//
// Bounds (SQLite, release build): p50 under 10 ms, no growth of memory over the second half.

import { randomUUID, createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import http from 'node:http';
import { availableParallelism, cpus } from 'node:os';
import { join } from 'node:path';
import { SignJWT } from 'jose';
import { decide, logIn } from './portal.mjs';
import { declaredUse } from './recipient.mjs';
import { Visitor } from './visitor.mjs';
import { ARTEFACTS, World } from './world.mjs';

const EXCHANGES = Number(process.argv[2] ?? 1000);
const WARM_UP = 100;
const MAX_P50_MS = 10;
const MAX_GROWTH_KIB = 2048;
const DATASET_TYPE = 'early-education-placements';

const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

function get(url, headers) {
  return new Promise((resolve, reject) => {
    const begin = performance.now();
    const request = http.get(url, { agent, headers, timeout: 10_000 }, (response) => {
      let bytes = 0;
      response.on('data', (chunk) => { bytes += chunk.length; });
      response.on('error', reject);
      response.on('end', () => resolve({ response, bytes, ms: performance.now() - begin }));
    });
    request.on('timeout', () => request.destroy(new Error('no answer in 10 s')));
    request.on('error', reject);
  });
}

/** A recipient's side of one consent, as fast as one connection goes. */
class Fetcher {
  #nonce;

  constructor({ url, accessToken, key }) {
    Object.assign(this, { url, accessToken, key, renewals: 0 });
    this.ath = createHash('sha256').update(accessToken).digest('base64url');
  }

  async #proof() {
    return new SignJWT({
      jti: randomUUID(), htm: 'GET', htu: this.url, ath: this.ath, ...(this.#nonce && { nonce: this.#nonce }),
    })
      .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk: this.key.publicJwk })
      .setIssuedAt()
      .sign(this.key.privateKey);
  }

  /** Milliseconds of one exchange. A refusal for an outdated nonce is answered with a new proof, as every client does. */
  async exchange() {
    for (let attempt = 0; attempt < 2; attempt += 1) {
      const { response, bytes, ms } = await get(this.url, {
        Authorization: `DPoP ${this.accessToken}`, DPoP: await this.#proof(),
      });
      this.#nonce = response.headers['dpop-nonce'] ?? this.#nonce;
      if (response.statusCode === 200 && response.headers['omadata-receipt'] && bytes > 0) return ms;
      const challenge = response.headers['www-authenticate'] ?? '';
      if (!challenge.includes('use_dpop_nonce')) throw new Error(`exchange answers ${response.statusCode} ${challenge}`);
      this.renewals += 1;
    }
    throw new Error('the nonce that the node gave was not taken');
  }
}

/** A permission for as many exchanges as the run needs, given by a resident in the ordinary way. */
async function permission(world) {
  const espoo = world.nodes.espoo.base_url;
  const dataset = world.nodes.espoo.datasets.find(({ type }) => type === DATASET_TYPE).id;
  const { recipient } = world;
  const [use] = recipient.uses;
  const request = await recipient.ask(espoo, recipient.detail(espoo, dataset, use));
  const visitor = new Visitor({ language: 'en' });
  await visitor.open(request.url);
  await logIn(visitor, 'aino');
  await decide(visitor, 'allow', { times: use.maxExchanges });
  const tokens = await recipient.redeem(request, await request.arrival);
  const { kty, crv, x, y } = await crypto.subtle.exportKey('jwk', recipient.keys.dpop.publicKey);
  return new Fetcher({
    url: `${espoo}/exchange/datasets/${dataset}`,
    accessToken: tokens.access_token,
    key: { privateKey: recipient.keys.dpop.privateKey, publicJwk: { kty, crv, x, y } },
  });
}

function quantile(sorted, q) {
  return sorted[Math.min(sorted.length - 1, Math.ceil(q * sorted.length) - 1)];
}

async function measure(world) {
  const fetcher = await permission(world);
  for (let i = 0; i < WARM_UP; i += 1) await fetcher.exchange();
  const times = [];
  const memory = [await world.memory()];
  const begin = performance.now();
  for (let i = 1; i <= EXCHANGES; i += 1) {
    times.push(await fetcher.exchange());
    if (i % Math.ceil(EXCHANGES / 4) === 0 || i === EXCHANGES) memory.push(await world.memory());
  }
  const seconds = (performance.now() - begin) / 1000;
  times.sort((a, b) => a - b);
  return {
    exchanges: EXCHANGES,
    store: 'SQLite',
    machine: `${availableParallelism()} × ${cpus()[0].model.trim()}, shared with this program and the demo's other nodes`,
    ready_ms: world.readyAfter,
    per_second: EXCHANGES / seconds,
    p50_ms: quantile(times, 0.5),
    p90_ms: quantile(times, 0.9),
    p99_ms: quantile(times, 0.99),
    max_ms: times.at(-1),
    nonce_renewals: fetcher.renewals,
    memory_kib: memory,
    growth_kib: memory.at(-1) - memory[Math.floor(memory.length / 2)],
  };
}

const world = await World.start({
  name: 'load',
  foreignProvider: true,
  recipient: {
    uses: (id) => [declaredUse(id, 'load', {
      datasetType: DATASET_TYPE,
      required: ['childName', 'unit', 'startDate', 'endDate'],
      maxExchanges: EXCHANGES + WARM_UP + 10,
    })],
  },
});
let result;
try {
  result = await measure(world);
} finally {
  agent.destroy();
  await world.stop();
}

await writeFile(join(ARTEFACTS, 'load.json'), `${JSON.stringify(result, null, 2)}\n`);
for (const [name, value] of Object.entries(result)) {
  console.log(`${name.padEnd(16)}${typeof value === 'number' && !Number.isInteger(value) ? value.toFixed(2) : value}`);
}
const broken = [
  result.p50_ms < MAX_P50_MS || `p50 is ${result.p50_ms.toFixed(2)} ms, the bound is ${MAX_P50_MS} ms`,
  result.growth_kib <= MAX_GROWTH_KIB || `memory grew by ${result.growth_kib} KiB, the bound is ${MAX_GROWTH_KIB} KiB`,
].filter((bound) => bound !== true);
for (const bound of broken) console.error(`load: ${bound}`);
process.exitCode = broken.length ? 1 : 0;
