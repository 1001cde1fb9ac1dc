// A whole journey across a federation in production: ask, decide, fetch, stop. Started by tests/production/run, in a network
// namespace of its own, with the test's certificate authority as the only one that it knows beside the system's.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { decide, logIn, logInAt, stopFromOverview } from './portal.mjs';
import { describe, Visitor } from './visitor.mjs';

const { HELSINKI, ESPOO, SERVICE, WORLD, SECRET_FILE, PROXY, ANCHOR, LOGIN } = process.env;
const CLIENT = 'early-education-applications';

/** Calls Helsinki's own node, as the city's service does. */
async function call(method, path, { token, basic, json, form } = {}) {
  const headers = {};
  if (token) headers.authorization = `Bearer ${token}`;
  if (basic) headers.authorization = `Basic ${Buffer.from(basic).toString('base64')}`;
  if (json) headers['content-type'] = 'application/json';
  const body = json ? JSON.stringify(json) : form && new URLSearchParams(form);
  const answer = await fetch(`${HELSINKI}${path}`, { method, headers, body, redirect: 'manual' });
  return { status: answer.status, body: await answer.json() };
}

/** Helsinki's service asks for Aino's placements, and she allows it at Espoo. */
async function given() {
  const { residents } = JSON.parse(await readFile(WORLD, 'utf8'));
  const aino = residents.find(({ username }) => username === 'aino');
  const secret = (await readFile(SECRET_FILE, 'utf8')).trim();
  const granted = await call('POST', '/api/v1/token', {
    basic: `${CLIENT}:${secret}`, form: { grant_type: 'client_credentials' },
  });
  assert.equal(granted.status, 200, JSON.stringify(granted.body));
  const token = granted.body.access_token;

  const asked = await call('POST', '/api/v1/consent-requests', {
    token,
    json: {
      holder: ESPOO, dataset: 'placements', use: 'early-education-placement', times: 3, person: aino.identifier,
      returnUrl: SERVICE,
    },
  });
  assert.equal(asked.status, 201, JSON.stringify(asked.body));
  const { id, startUrl } = asked.body;
  assert.ok(startUrl.startsWith(`${HELSINKI}/`) || startUrl.startsWith(`${ESPOO}/`), startUrl);
  const fetchData = () => call('POST', `/api/v1/consents/${id}/fetch`, { token });
  const early = await fetchData();
  assert.equal(early.status, 409, JSON.stringify(early.body));

  const visitor = new Visitor({ language: 'en' });
  await visitor.open(startUrl);
  await logIn(visitor, 'aino');
  assert.equal(visitor.page.url.origin, ESPOO, describe(visitor.page));
  await decide(visitor, 'allow', { times: 3, until: inAMonth() });
  assert.ok(visitor.page.url.href.startsWith(SERVICE), describe(visitor.page));
  return { visitor, fetchData };
}

test('Helsinki asks, Aino allows at Espoo, Helsinki fetches, Aino stops it', async () => {
  const { visitor, fetchData } = await given();
  const fetched = await fetchData();
  assert.equal(fetched.status, 200, JSON.stringify(fetched.body));
  assert.ok(fetched.body.data.length > 0 && fetched.body.receipt);

  await stopFromOverview(visitor, ESPOO);
  assert.equal(visitor.page.status, 200, describe(visitor.page));
  const late = await fetchData();
  assert.ok([409, 410].includes(late.status) && !late.body.data, JSON.stringify(late.body));
  assert.deepEqual(visitor.visited.filter(({ url }) => !url.startsWith('https://')), [], 'everything over TLS');
});

test('federation, login and exchange of Helsinki go through its proxy, and stop with it', async () => {
  const proxy = async (path, method = 'POST') => (await fetch(`${PROXY}${path}`, { method })).json();
  const { fetchData } = await given();
  const resident = new Visitor({ language: 'en' });
  await logInAt(resident, HELSINKI, 'elin');
  assert.equal(resident.page.url.origin, HELSINKI, describe(resident.page));
  const hosts = await proxy('/tunnels', 'GET');
  for (const reached of [ANCHOR, LOGIN, ESPOO]) {
    assert.ok(hosts.includes(new URL(reached).hostname), `${reached} in ${hosts}`);
  }

  await proxy('/close');
  const cut = await fetchData();
  assert.ok([502, 503].includes(cut.status) && !cut.body.data, JSON.stringify(cut.body));
  const nobody = new Visitor({ language: 'en' });
  await nobody.open(`${HELSINKI}/login`);
  const sent = nobody.page.url.origin === LOGIN;
  if (sent) await logIn(nobody, 'elin');
  assert.ok([502, 503].includes(nobody.page.status), describe(nobody.page));
  assert.doesNotMatch(nobody.page.text, /proxy|3128|CONNECT/i, 'no inside cause');

  await proxy('/open');
  await eventually(async () => (await fetchData()).status === 200);
});

/** Waits until something holds: trust is asked for again after a pause. */
async function eventually(holds) {
  for (let attempt = 0; attempt < 60; attempt += 1) {
    if (await holds()) return;
    await new Promise((resolve) => { setTimeout(resolve, 500); });
  }
  assert.fail('it never held');
}

function inAMonth() {
  return new Date(Date.now() + 30 * 86_400_000).toISOString().slice(0, 10);
}
