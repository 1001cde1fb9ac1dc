// A login as the Finnish Trust Network demands it (Traficom recommendation 213/2023), at a certified provider (npm oidc-provider):
// private_key_jwt and request objects with RS256, ID tokens and UserInfo signed and encrypted to the keys that each city
// publishes, also after those were replaced. The decision rests on the signed token inside the encrypted one.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { decide, logIn } from './portal.mjs';
import { declaredUse } from './recipient.mjs';
import { describe as describePage, Visitor } from './visitor.mjs';
import { World } from './world.mjs';

const PLACEMENTS = 'early-education-placements';
let world;
let espoo;

before(async () => {
  const uses = (id) => [{
    ...declaredUse(id, PLACEMENTS, { datasetType: PLACEMENTS, required: ['childName', 'unit', 'startDate', 'endDate'] }),
    legalBasis: 'A6-1-a',
  }];
  world = await World.start({ name: 'ftn', foreignProvider: true, protectedMessages: true, recipient: { uses } });
  espoo = world.nodes.espoo.base_url;
});

after(async () => {
  await world?.stop();
});

async function jwks() {
  const answer = await fetch(`${espoo}/oauth/login-jwks`);
  assert.equal(answer.status, 200);
  return (await answer.json()).keys;
}

/** Asks for a permission and lets Aino give it; what the recipient gets for it. */
async function permission() {
  const { recipient } = world;
  const dataset = world.nodes.espoo.datasets.find(({ type }) => type === PLACEMENTS).id;
  const request = await recipient.ask(espoo, recipient.detail(espoo, dataset, recipient.uses[0]));
  const visitor = new Visitor({ language: 'en' });
  await visitor.open(request.url);
  assert.equal(visitor.page.url.origin, world.loginIssuer, describePage(visitor.page));
  await logIn(visitor, 'aino');
  assert.match(visitor.page.url.pathname, /^\/consent\//, describePage(visitor.page));
  await decide(visitor, 'allow', { times: 2 });
  const tokens = await recipient.redeem(request, await request.arrival);
  const claims = await recipient.checkToken(espoo, tokens.access_token);
  const { json } = await recipient.fetchData(espoo, dataset, tokens.access_token);
  assert.ok(json.records.length > 0);
  return { visitor, claims };
}

test('each city publishes what signs for it and what the provider encrypts to', async () => {
  const keys = await jwks();
  assert.deepEqual(
    keys.map(({ use, alg, kty }) => [use, alg, kty]).sort(),
    [['enc', 'ECDH-ES', 'EC'], ['enc', 'RSA-OAEP', 'RSA'], ['sig', 'RS256', 'RSA']],
  );
  for (const key of keys) for (const member of ['d', 'p', 'q', 'dp', 'dq', 'qi']) assert.equal(key[member], undefined);
});

test('a resident logs in by a signed request and encrypted answers, and the decision can be proven', async () => {
  const { visitor } = await permission();
  const asked = visitor.visited.map(({ url }) => new URL(url))
    .filter((url) => url.origin === world.loginIssuer && url.pathname === '/auth');
  assert.equal(asked.length, 2, 'the login, and the signature on the decision');
  const signing = (await jwks()).find(({ use }) => use === 'sig');
  for (const { searchParams } of asked) {
    assert.deepEqual([...searchParams.keys()].sort(), ['client_id', 'request', 'response_type', 'scope']);
    const header = decodeProtectedHeader(searchParams.get('request'));
    assert.deepEqual(header, { alg: 'RS256', kid: signing.kid, typ: 'oauth-authz-req+jwt' });
    assert.equal(decodeJwt(searchParams.get('request')).aud, world.loginIssuer);
  }
  const { encrypted } = world.provider;
  assert.ok(encrypted.idTokens >= 2, 'the ID tokens were encrypted');
  assert.ok(encrypted.userInfos >= 2, 'the identifier came from UserInfo, encrypted');

  const sharing = await visitor.open(`${espoo}/me/sharing`);
  const id = /\/me\/sharing\/([A-Za-z0-9_-]{22})/.exec(sharing.body)[1];
  const judged = await world.command('espoo', 'consent', 'verify', id);
  assert.equal(judged.code, 0, judged.complained);
  assert.match(judged.printed, /The evidence holds/);
});

test('a decryption key is replaced without keeping anyone out', async () => {
  const old = (await jwks()).find(({ alg }) => alg === 'RSA-OAEP').kid;
  const rotated = await world.command('espoo', 'keys', 'rotate', 'login-rsa-decryption', '--now');
  assert.equal(rotated.code, 0, rotated.complained);
  let now;
  for (const limit = Date.now() + 10_000; Date.now() < limit;) {
    now = (await jwks()).filter(({ alg }) => alg === 'RSA-OAEP').map(({ kid }) => kid);
    if (!now.includes(old)) break;
    await new Promise((next) => setTimeout(next, 100));
  }
  assert.equal(now.length, 1);
  assert.notEqual(now[0], old);
  // The provider has the old key set in memory still.
  await permission();
});

test('every provider error of the run is none', () => assert.deepEqual(world.provider.errors, []));
