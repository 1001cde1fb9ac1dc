// A foreign recipient (npm openid-client and jose) and a foreign login provider (npm oidc-provider) against a real node:
// the whole protocol, spoken by people who never read the node's code.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createHash } from 'node:crypto';
import { calculateJwkThumbprint, compactVerify, createLocalJWKSet } from 'jose';
import { selfSigned, trustChain } from './federation.mjs';
import { decide, letThemAsk, logIn, logInAt, startPermission, stopFromOverview } from './portal.mjs';
import { declaredUse, EVENTS, newKey } from './recipient.mjs';
import { describe, Visitor } from './visitor.mjs';
import { World } from './world.mjs';

const DATASET_TYPE = 'early-education-placements';
const REQUIRED = ['childName', 'unit', 'startDate', 'endDate'];
let world;
let espoo;
let recipient;
let placements;
let aino;

before(async () => {
  world = await World.start({
    name: 'foreign-recipient',
    foreignProvider: true,
    recipient: {
      uses: (id) => [declaredUse(id, 'placements', {
        datasetType: DATASET_TYPE, required: REQUIRED, optional: ['type'], maxExchanges: 10,
      })],
    },
  });
  recipient = world.recipient;
  espoo = world.nodes.espoo.base_url;
  placements = world.nodes.espoo.datasets.find(({ type }) => type === DATASET_TYPE).id;
  aino = world.resident('aino');
});

after(async () => {
  await world?.stop();
});

/** Asks, lets the resident decide over plain HTTP, and comes back. */
async function consent({ decision = 'allow', fields = [], times = 10, details = {}, visitor = new Visitor() } = {}) {
  const [use] = recipient.uses;
  const request = await recipient.ask(espoo, recipient.detail(espoo, placements, use, details));
  await visitor.open(request.url);
  if (visitor.page.url.origin === world.loginIssuer) await logIn(visitor, aino.username);
  const shown = visitor.page;
  const back = await decide(visitor, decision, { fields, times });
  assert.equal(`${back.url.origin}${back.url.pathname}`, recipient.redirectUri, describe(back));
  return { request, visitor, shown, arrivedAt: await request.arrival };
}

async function refused(promise, status, code) {
  const error = await promise.then(() => assert.fail('was not refused'), (reason) => reason);
  const challenge = error.cause?.find?.(({ scheme }) => scheme === 'dpop');
  const found = challenge?.parameters.error ?? error.error ?? error.body?.toString();
  assert.deepEqual([error.status ?? error.response?.status, found], [status, code], error.stack);
  return error;
}

test('the node describes itself by the standards', async () => {
  const { config } = await recipient.holder(espoo);
  const server = config.serverMetadata();
  assert.equal(server.issuer, espoo);
  assert.equal(server.authorization_response_iss_parameter_supported, true);
  assert.equal(server.require_pushed_authorization_requests, true);
  assert.deepEqual(server.code_challenge_methods_supported, ['S256']);
  assert.deepEqual(server.response_types_supported, ['code']);
  assert.ok(server.token_endpoint_auth_methods_supported.includes('private_key_jwt'));
  assert.ok(server.authorization_details_types_supported.includes('omadata_dataset'));
  assert.ok(server.dpop_signing_alg_values_supported.includes('ES256'));
  for (const endpoint of ['introspection_endpoint', 'revocation_endpoint', 'jwks_uri']) {
    assert.ok(server[endpoint].startsWith(`${espoo}/`), endpoint);
  }
  const resource = await (await fetch(`${espoo}/.well-known/oauth-protected-resource`)).json();
  assert.equal(resource.resource, espoo);
  assert.deepEqual(resource.authorization_servers, [espoo]);
  const { claims } = await selfSigned(espoo);
  assert.deepEqual(claims.authority_hints, [world.anchor]);
  const member = await recipient.member(espoo);
  assert.equal(member.oauth_authorization_server.issuer, espoo);
});

test('ask, allow, redeem, fetch, verify the receipt, introspect, give back, be refused', async () => {
  const { request, shown, arrivedAt } = await consent({ fields: ['type'] });
  assert.match(shown.text, /Visiting/, 'the page names who asks');
  assert.equal(arrivedAt.searchParams.get('iss'), espoo);
  const tokens = await recipient.redeem(request, arrivedAt);
  assert.equal(tokens.token_type, 'dpop');
  assert.equal(tokens.authorization_details[0].identifier, placements);
  assert.deepEqual([...tokens.authorization_details[0].datatypes].sort(), [...REQUIRED, 'type'].sort());

  const claims = await recipient.checkToken(espoo, tokens.access_token);
  assert.equal(claims.client_id, recipient.entityId);
  assert.equal(claims.cnf.jkt, await calculateJwkThumbprint(await crypto.subtle.exportKey('jwk', recipient.keys.dpop.publicKey)));
  assert.equal(claims.grant_id, tokens.grant_id);
  assert.ok(tokens.access_token.length < 4096);
  const open = Buffer.from(tokens.access_token.split('.')[1], 'base64url').toString();
  assert.ok(!open.includes(aino.identifier) && !open.includes(aino.name), 'no personal data in the token');

  const exchange = await recipient.fetchData(espoo, placements, tokens.access_token);
  assert.ok(exchange.json.records.length > 0, 'the resident has placements');
  for (const record of exchange.json.records) {
    for (const field of Object.keys(record)) assert.ok([...REQUIRED, 'type'].includes(field), field);
  }
  assert.ok(!exchange.body.includes(aino.identifier));
  assert.equal(exchange.receipt.claims.aud ?? recipient.entityId, recipient.entityId);
  assert.ok(JSON.stringify(exchange.receipt.claims).includes(exchange.receipt.bodyDigest), 'the receipt names the body');

  const state = await recipient.introspect(espoo, tokens.access_token);
  assert.equal(state.active, true);
  assert.equal(state.client_id, recipient.entityId);
  assert.equal(state.cnf.jkt, claims.cnf.jkt);

  const narrowed = await recipient.fetchData(espoo, placements, tokens.access_token, { fields: 'unit' });
  assert.deepEqual([...new Set(narrowed.json.records.flatMap(Object.keys))], ['unit']);
  await refused(
    recipient.fetchData(espoo, placements, tokens.access_token, { fields: 'unit,placeGuarantee' }),
    403,
    'insufficient_scope',
  );

  await recipient.revoke(espoo, tokens.access_token);
  await refused(recipient.fetchData(espoo, placements, tokens.access_token), 401, 'invalid_token');
  assert.deepEqual(await recipient.introspect(espoo, tokens.access_token), { active: false });
});

test('a proof passes once, and only with its own token and address', async () => {
  const { request, arrivedAt } = await consent();
  const tokens = await recipient.redeem(request, arrivedAt);
  await recipient.fetchData(espoo, placements, tokens.access_token);
  const used = recipient.wire.findLast(({ url, status }) => url.includes('/exchange/') && status === 200);
  const send = async (url, headers) => {
    const response = await fetch(url, { headers });
    const challenge = response.headers.get('www-authenticate') ?? '';
    await response.arrayBuffer();
    return [response.status, /error="([^"]*)"/.exec(challenge)?.[1], response.headers.has('omadata-receipt')];
  };
  assert.deepEqual(await send(used.url, used.headers), [401, 'invalid_dpop_proof', false], 'the same proof again');
  const { dpop, ...withoutProof } = used.headers;
  assert.deepEqual(await send(used.url, withoutProof), [401, 'invalid_dpop_proof', false], 'no proof');
  const bearer = { ...withoutProof, authorization: `Bearer ${tokens.access_token}` };
  assert.deepEqual((await send(used.url, bearer))[0], 401, 'as a bearer token');
});

test('a code passes once, and using it again ends its tokens', async () => {
  const { request, arrivedAt } = await consent();
  const tokens = await recipient.redeem(request, arrivedAt);
  await refused(recipient.redeem(request, arrivedAt), 400, 'invalid_grant');
  await refused(recipient.fetchData(espoo, placements, tokens.access_token), 401, 'invalid_token');
});

test('"no" comes back as access_denied, and nothing can be redeemed', async () => {
  const { request, arrivedAt, visitor } = await consent({ decision: 'deny' });
  assert.equal(arrivedAt.searchParams.get('error'), 'access_denied');
  assert.equal(arrivedAt.searchParams.get('iss'), espoo);
  await assert.rejects(recipient.redeem(request, arrivedAt), { error: 'access_denied' });
  await letThemAsk(visitor, espoo);
});

test('a request may not go beyond its declared use', async () => {
  const [use] = recipient.uses;
  const beyond = [
    { datatypes: [...REQUIRED, 'placeGuarantee'] },
    { frequency: { max: use.maxExchanges + 1 } },
    { retention: 'P2Y' },
    { until: '2099-12-31' },
    { actions: ['read', 'write'] },
    { locations: [world.nodes.turku.base_url] },
    { use: `${world.nodes.helsinki.base_url}/catalogue/uses/placements` },
    { type: 'payment_initiation' },
    { unheardOf: true },
  ];
  for (const changes of beyond) {
    await refused(
      recipient.ask(espoo, recipient.detail(espoo, placements, use, changes)),
      400,
      'invalid_authorization_details',
    );
  }
});

test('the resident stops in two clicks: refused at once, and the recipient is told', async () => {
  const { request, arrivedAt, visitor } = await consent();
  const tokens = await recipient.redeem(request, arrivedAt);
  await recipient.fetchData(espoo, placements, tokens.access_token);
  await stopFromOverview(visitor, espoo);
  await refused(recipient.fetchData(espoo, placements, tokens.access_token), 401, 'invalid_token');
  const event = await recipient.event(EVENTS.revoked, {
    from: espoo, fits: (subject) => subject.grant_id === tokens.grant_id,
  });
  assert.equal(event.grant_id, tokens.grant_id);
});

test('the resident starts: the recipient gets a code by a signed push, and fetches', async () => {
  const visitor = new Visitor({ language: 'en' });
  await logInAt(visitor, espoo, aino.username);
  const [use] = recipient.uses;
  await startPermission(visitor, espoo, use.id);
  await decide(visitor, 'allow', { times: 3 });
  assert.equal(visitor.page.status, 200, describe(visitor.page));
  const event = await recipient.event(EVENTS.given, { from: espoo });
  const tokens = await recipient.redeemPreAuthorized(espoo, event.pre_authorized_code);
  const exchange = await recipient.fetchData(espoo, placements, tokens.access_token);
  assert.ok(exchange.json.records.length > 0);
  // Whoever did not hear the answer may repeat with the same key; with another key the code is a stolen one.
  const repeated = await recipient.redeemPreAuthorized(espoo, event.pre_authorized_code);
  assert.equal((await recipient.checkToken(espoo, repeated.access_token)).grant_id, event.grant_id);
  await refused(
    recipient.redeemPreAuthorized(espoo, event.pre_authorized_code, await newKey()),
    400,
    'invalid_grant',
  );
  await refused(recipient.fetchData(espoo, placements, repeated.access_token), 401, 'invalid_token');
  assert.deepEqual(recipient.refused, [], 'every event was well-formed');
});

test('grant management: asked about, extended and replaced under the same name, given back', async () => {
  const { config } = await recipient.holder(espoo);
  const server = config.serverMetadata();
  for (const action of ['query', 'revoke', 'create', 'merge', 'replace']) {
    assert.ok(server.grant_management_actions_supported.includes(action), action);
  }
  const visitor = new Visitor();
  const { request, arrivedAt } = await consent({ times: 2, visitor });
  const first = await recipient.redeem(request, arrivedAt);
  const known = await recipient.manageGrant(espoo, first.grant_id);
  assert.equal(known.status, 200);
  assert.equal(known.json.status, 'active');
  assert.deepEqual(known.json.authorization_details, first.authorization_details);

  const [use] = recipient.uses;
  const about = (action, grant) => ({ grant_management_action: action, ...(grant && { grant_id: grant }) });
  const detail = recipient.detail(espoo, placements, use);
  await refused(recipient.ask(espoo, detail, about('merge', 'no-such-grant')), 400, 'invalid_grant_id');
  await refused(recipient.ask(espoo, detail, about('merge')), 400, 'invalid_request');
  await refused(recipient.ask(espoo, detail, about('create', first.grant_id)), 400, 'invalid_request');
  await refused(recipient.ask(espoo, detail, about('update', first.grant_id)), 400, 'invalid_request');

  const more = await recipient.ask(espoo, detail, about('merge', first.grant_id));
  await visitor.open(more.url);
  assert.match(visitor.page.text, /Mikä muuttuisi/);
  await decide(visitor, 'allow', { fields: ['type'], times: 5 });
  const second = await recipient.redeem(more, await more.arrival);
  assert.equal(second.grant_id, first.grant_id, 'a grant keeps its name');
  assert.ok(second.authorization_details[0].datatypes.includes('type'));
  await refused(recipient.fetchData(espoo, placements, first.access_token), 401, 'invalid_token');
  await recipient.fetchData(espoo, placements, second.access_token);
  const event = await recipient.event(EVENTS.changed, {
    from: espoo, fits: (subject) => subject.grant_id === first.grant_id,
  });
  assert.equal(event.reason, 'replaced');

  // Merged is what was and what is new; replaced is what is new alone.
  const unit = recipient.detail(espoo, placements, use, { datatypes: [...REQUIRED], frequency: { max: 4 } });
  const instead = await recipient.ask(espoo, unit, about('replace', first.grant_id));
  await visitor.open(instead.url);
  assert.match(visitor.page.text, /Mikä muuttuisi/);
  await decide(visitor, 'allow', { times: 4 });
  const third = await recipient.redeem(instead, await instead.arrival);
  assert.equal(third.grant_id, first.grant_id, 'a grant keeps its name');
  assert.deepEqual([...third.authorization_details[0].datatypes].sort(), [...REQUIRED].sort());
  await refused(recipient.fetchData(espoo, placements, second.access_token), 401, 'invalid_token');
  const { json } = await recipient.fetchData(espoo, placements, third.access_token);
  assert.ok(json.records.length > 0 && json.records.every((record) => !('type' in record)));
  assert.deepEqual(
    (await recipient.manageGrant(espoo, first.grant_id)).json.authorization_details,
    third.authorization_details,
  );

  await refused(
    recipient.manageGrant(espoo, first.grant_id, { method: 'DELETE' }), 403, 'insufficient_scope',
  );
  const scope = 'grant_management_revoke';
  assert.equal((await recipient.manageGrant(espoo, first.grant_id, { method: 'DELETE', scope })).status, 204);
  await refused(recipient.fetchData(espoo, placements, third.access_token), 401, 'invalid_token');
  for (const grant of [first.grant_id, 'no-such-grant']) {
    assert.equal((await recipient.manageGrant(espoo, grant)).status, 404, 'ended and unknown look alike');
  }
});

test('the resident keeps receipts that any JOSE library verifies', async () => {
  const { visitor } = await consent({ decision: 'deny' });
  await letThemAsk(visitor, espoo);
  const list = await visitor.open(`${espoo}/me/receipts`);
  const page = await visitor.open(list.link(/\/receipt\/1$/).href);
  const signed = (await visitor.open(page.link(/\/receipt\/1\/signed$/).href)).body;
  const readable = (await visitor.open(page.link(/\/receipt\/1\/readable$/).href)).body;
  const { oauth_resource: resource } = await recipient.member(espoo);
  const { payload, protectedHeader } = await compactVerify(signed, createLocalJWKSet(resource.jwks));
  assert.equal(protectedHeader.typ, 'consent-receipt+jwt');
  assert.equal(Buffer.from(payload).toString('utf8'), readable, 'what is signed is what is readable');
  const receipt = JSON.parse(readable);
  assert.equal(receipt.iss, espoo);
  assert.deepEqual([receipt.event.event_type, receipt.version], ['declined', 1]);
  const [purpose] = receipt.pii_processing.purposes;
  assert.equal(purpose.purpose_digest, createHash('sha256').update(purpose.purpose).digest('base64url'));
  await assert.rejects(compactVerify(signed.replace(/.$/, (c) => (c === 'A' ? 'Q' : 'A')), createLocalJWKSet(resource.jwks)));
});

test('a trust chain may be handed in, and one that is made up changes nothing', async () => {
  const chain = await trustChain(recipient.entityId, world.anchor);
  const [use] = recipient.uses;
  try {
    for (const handedIn of [chain, chain.toReversed(), ['made', 'up'], [], await trustChain(espoo, world.anchor)]) {
      recipient.handedIn = handedIn;
      assert.ok((await recipient.ask(espoo, recipient.detail(espoo, placements, use))).url);
    }
    // Too much of it is no assertion any more.
    recipient.handedIn = Array(Math.ceil(32_000 / chain[0].length)).fill(chain[0]);
    await refused(recipient.ask(espoo, recipient.detail(espoo, placements, use)), 401, 'invalid_client');
  } finally {
    recipient.handedIn = undefined;
  }
});

test('a stranger who is no member gets nothing', async () => {
  const { startRecipient } = await import('./recipient.mjs');
  const { freePorts } = await import('./loopback.mjs');
  const stranger = await startRecipient({
    name: 'stranger', port: await freePorts(1), anchor: world.anchor,
    uses: (id) => [declaredUse(id, 'placements', { datasetType: DATASET_TYPE, required: REQUIRED })],
  });
  try {
    await refused(
      stranger.ask(espoo, stranger.detail(espoo, placements, stranger.uses[0])),
      401,
      'invalid_client',
    );
  } finally {
    await stranger.stop();
  }
});
