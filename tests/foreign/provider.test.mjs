// The test's login provider is itself tested: an ordinary client (npm openid-client) logs a resident in, so that a
// failure of the story is known to be the node's.

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import * as oidc from 'openid-client';
import { freePorts, listen, stopListening } from './loopback.mjs';
import { ACR_VALUES, startProvider } from './provider.mjs';
import { describe as describePage, Visitor } from './visitor.mjs';

const SECRET = 'a secret of the test with 32 characters';
const ACCOUNTS = [{ username: 'aino', name: 'Aino Esimerkki', identifier: '010190-900P' }];
let directory;
let provider;
let city;
let baseUrl;

before(async () => {
  const port = await freePorts(2);
  baseUrl = `http://espoo.localhost:${port + 1}`;
  directory = await mkdtemp(join(tmpdir(), 'omadata-provider-'));
  await writeFile(join(directory, 'accounts.json'), JSON.stringify(ACCOUNTS));
  city = createServer((_request, response) => response.end('back in the city'));
  await listen(city, port + 1);
  provider = await startProvider({
    issuer: `http://login.localhost:${port}`,
    cities: { espoo: baseUrl },
    clientSecret: SECRET,
    accountsFile: join(directory, 'accounts.json'),
  });
});

after(async () => {
  await provider?.stop();
  if (city) await stopListening(city);
  if (directory) await rm(directory, { recursive: true });
});

async function begin(parameters = {}) {
  const config = await oidc.discovery(new URL(provider.issuer), 'espoo', undefined, oidc.ClientSecretBasic(SECRET), {
    execute: [oidc.allowInsecureRequests],
  });
  const checks = {
    pkceCodeVerifier: oidc.randomPKCECodeVerifier(),
    expectedNonce: oidc.randomNonce(),
    expectedState: oidc.randomState(),
  };
  const url = oidc.buildAuthorizationUrl(config, {
    redirect_uri: `${baseUrl}/login/callback`,
    scope: 'openid profile national_id',
    code_challenge: await oidc.calculatePKCECodeChallenge(checks.pkceCodeVerifier),
    code_challenge_method: 'S256',
    nonce: checks.expectedNonce,
    state: checks.expectedState,
    ...parameters,
  });
  return { config, checks, url };
}

async function finish({ config, checks }, page) {
  assert.equal(`${page.url.origin}${page.url.pathname}`, `${baseUrl}/login/callback`, describePage(page));
  return (await oidc.authorizationCodeGrant(config, page.url, checks)).claims();
}

test('a resident logs in, and a second login in the same browser passes without a screen', async () => {
  const visitor = new Visitor();
  const first = await begin();
  const login = await visitor.open(first.url);
  const claims = await finish(first, await visitor.submit(login.formWith('resident', 'aino'), {}, ['resident', 'aino']));
  assert.equal(claims.national_id, '010190-900P');
  assert.equal(claims.name, 'Aino Esimerkki');
  assert.equal(claims.acr, ACR_VALUES[0]);
  assert.ok(Number.isInteger(claims.auth_time));

  const second = await begin({ nonce: 'a-hash-of-what-was-seen' });
  second.checks.expectedNonce = 'a-hash-of-what-was-seen';
  const again = await finish(second, await visitor.open(second.url));
  assert.equal(again.nonce, 'a-hash-of-what-was-seen');
  assert.equal(again.sub, claims.sub);
  assert.equal(again.auth_time, claims.auth_time);

  const fresh = await begin({ prompt: 'login', acr_values: ACR_VALUES[1] });
  const asked = await visitor.open(fresh.url);
  const page = await visitor.submit(asked.formWith('resident', 'aino'), {}, ['resident', 'aino']);
  assert.equal((await finish(fresh, page)).acr, ACR_VALUES[1], 'prompt=login asks again, for the level wanted');
  assert.deepEqual(provider.errors, []);
});

test('turning back gives access_denied with the issuer, and a code without PKCE is refused', async () => {
  const visitor = new Visitor();
  const { url } = await begin();
  const login = await visitor.open(url);
  const back = await visitor.submit(login.formWith('cancel'), {}, ['cancel', 'yes']);
  assert.equal(back.url.searchParams.get('error'), 'access_denied');
  assert.equal(back.url.searchParams.get('iss'), provider.issuer);

  const plain = await begin({ code_challenge: 'x'.repeat(43), code_challenge_method: 'plain' });
  const refused = await new Visitor().open(plain.url);
  assert.equal(refused.url.searchParams.get('error'), 'invalid_request');
});

test('logging out ends the session at the provider', async () => {
  const visitor = new Visitor();
  const first = await begin();
  const login = await visitor.open(first.url);
  const page = await visitor.submit(login.formWith('resident', 'aino'), {}, ['resident', 'aino']);
  const tokens = await oidc.authorizationCodeGrant(first.config, page.url, first.checks);
  const leaving = await visitor.open(oidc.buildEndSessionUrl(first.config, {
    id_token_hint: tokens.id_token,
    post_logout_redirect_uri: `${baseUrl}/`,
  }));
  const out = await visitor.submit(leaving.formWith('logout', 'yes'), {}, ['logout', 'yes']);
  assert.equal(out.url.href, `${baseUrl}/`);
  const next = await begin();
  const asked = await visitor.open(next.url);
  assert.ok(asked.formWith('resident', 'aino'), 'the next login asks again');
});
