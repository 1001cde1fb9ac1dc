// A recipient made of other people's code: npm `openid-client` speaks OAuth, npm `jose` signs and verifies. It shares not
// a line with the node, so what passes here follows the standards and not one author's reading of them.

import { createServer } from 'node:http';
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { calculateJwkThumbprint, createLocalJWKSet, decodeJwt, exportJWK, generateKeyPair, jwtVerify } from 'jose';
import * as oauth from 'openid-client';
import { entityConfiguration, trustedMember, trustMark, WELL_KNOWN } from './federation.mjs';
import { listen, stopListening } from './loopback.mjs';

export const PRE_AUTHORIZED = 'urn:ietf:params:oauth:grant-type:pre-authorized_code';
export const EVENTS = {
  given: 'urn:omadata:event:consent-given',
  changed: 'urn:omadata:event:consent-changed',
  revoked: 'urn:omadata:event:consent-revoked',
};
const DAY = 86_400_000;
const text = (en) => ({ fi: `${en} (fi)`, sv: `${en} (sv)`, en });

/** A fresh ES256 key that is named by its thumbprint. */
export async function newKey() {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  const bare = await exportJWK(publicKey);
  const kid = await calculateJwkThumbprint(bare);
  return { privateKey, publicKey, kid, publicJwk: { ...bare, kid, alg: 'ES256', use: 'sig' } };
}

/** A declared use of this recipient, in the form of `/catalogue/uses`. */
export function declaredUse(entityId, slug, { datasetType, required, optional = [], maxExchanges = 10, maxDays = 90 }) {
  const contact = { name: text('A visiting city'), email: 'privacy@visiting-city.invalid' };
  return {
    id: `${entityId}/catalogue/uses/${slug}`,
    service: 'visiting-service',
    serviceName: text('Visiting service'),
    title: text(`Visiting use ${slug}`),
    purposeText: text('The visiting city asks for this to handle your application.'),
    purpose: 'https://w3id.org/dpv#ServiceProvision',
    legalBasis: 'A6-1-a',
    datasetType,
    requiredFields: required,
    optionalFields: optional,
    maxExchanges,
    maxDays,
    retention: 'P1Y',
    otherwise: text('You can bring the decision on paper.'),
    controller: contact,
    dataProtectionOfficer: contact,
  };
}

export class Recipient {
  #configs = new Map();
  #members = new Map();
  #arrivals = new Map();
  #waiting = [];

  constructor({ entityId, anchor, keys, uses }) {
    Object.assign(this, { entityId, anchor, keys, uses, redirectUri: `${entityId}/oauth/callback` });
    /** Every request that openid-client made, newest last: what a proof was, in order to send it again. */
    this.wire = [];
    /** Verified events that holders pushed. */
    this.events = [];
    /** Requests that this recipient refused, for whatever reason. */
    this.refused = [];
  }

  /** `oauth_client` metadata (RFC 7591) as it stands in the entity configuration. */
  get metadata() {
    return {
      federation_entity: { organization_name: 'Visiting city' },
      oauth_client: {
        client_name: 'Visiting city',
        client_registration_types: ['automatic'],
        redirect_uris: [this.redirectUri],
        response_types: ['code'],
        grant_types: ['authorization_code', 'refresh_token', PRE_AUTHORIZED],
        token_endpoint_auth_method: 'private_key_jwt',
        token_endpoint_auth_signing_alg: 'ES256',
        dpop_bound_access_tokens: true,
        authorization_details_types: ['omadata_dataset'],
        jwks: { keys: [this.keys.client.publicJwk] },
        omadata_events_endpoint: `${this.entityId}/events`,
      },
    };
  }

  /** Its trust mark as a recipient, from the anchor; asked for once it is needed, because the anchor starts later. */
  async trustMarks() {
    this.marks ??= [await trustMark(this.entityId, this.anchor, `${this.anchor}/trust-marks/data-recipient`)];
    return this.marks;
  }

  // --- what it serves --------------------------------------------------------------------------------------------

  async answer(request, response) {
    const url = new URL(request.url, this.entityId);
    const send = (status, type, body) => {
      response.writeHead(status, { 'Content-Type': type });
      response.end(body);
    };
    if (request.method === 'GET' && url.pathname === WELL_KNOWN) return this.#describe(response, send);
    if (request.method === 'GET' && url.pathname === '/catalogue/uses') {
      return send(200, 'application/json', JSON.stringify({
        recipient: this.entityId, name: text('Visiting city'), uses: this.uses,
      }));
    }
    if (request.method === 'GET' && url.pathname === '/oauth/callback') {
      this.#arrivals.get(url.searchParams.get('state'))?.(url);
      return send(200, 'text/html; charset=utf-8', '<!doctype html><html lang="en"><title>Back</title><h1>Back</h1></html>');
    }
    if (request.method === 'POST' && url.pathname === '/events') return this.#receive(request, send);
    return send(404, 'text/plain', 'not here');
  }

  /** What it says about itself, or what a member says whose side is broken in the way that `spoilt` names. */
  async #describe(response, send) {
    if (this.spoilt === 'failing') return send(500, 'text/plain', 'out of order');
    const statement = await entityConfiguration({
      entityId: this.entityId, anchor: this.anchor, metadata: this.metadata, trustMarks: await this.trustMarks(),
      key: this.spoilt === 'another key' ? await newKey() : this.keys.federation,
      now: Date.now() - (this.spoilt === 'expired' ? 2 * 3_600_000 : 0),
    });
    const type = 'application/entity-statement+jwt';
    if (this.spoilt !== 'compressed') return send(200, type, statement);
    response.writeHead(200, { 'Content-Type': type, 'Content-Encoding': 'gzip' });
    return response.end(gzipSync(statement));
  }

  /** RFC 8935: a pushed Security Event Token is verified, kept, and acknowledged by 202. */
  async #receive(request, send) {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const token = Buffer.concat(chunks).toString('utf8');
    try {
      if (request.headers['content-type'] !== 'application/secevent+jwt') throw new Error('wrong content type');
      const { iss } = decodeJwt(token);
      const { oauth_resource: resource } = await this.member(iss);
      const { payload } = await jwtVerify(token, createLocalJWKSet(resource.jwks), {
        issuer: iss, audience: this.entityId, typ: 'secevent+jwt', algorithms: ['ES256', 'EdDSA'],
        requiredClaims: ['iat', 'jti', 'events'],
      });
      this.events.push(payload);
      for (const { matches, resolve } of this.#waiting) if (matches(payload)) resolve(payload);
      send(202, 'application/json', '');
    } catch (error) {
      this.refused.push(error);
      send(400, 'application/json', JSON.stringify({ err: 'invalid_request', description: error.message }));
    }
  }

  /** The first event, past or to come, of a type that fits. */
  event(type, { from, timeout = 15_000, fits = () => true }) {
    const matches = (payload) => payload.iss === from && payload.events[type] && fits(payload.events[type]);
    const known = this.events.find(matches);
    if (known) return Promise.resolve(known.events[type]);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no ${type} from ${from} in ${timeout} ms`)), timeout);
      this.#waiting.push({ matches, resolve: (payload) => { clearTimeout(timer); resolve(payload.events[type]); } });
    });
  }

  // --- what it asks ----------------------------------------------------------------------------------------------

  /** A member's metadata, through the anchor. */
  async member(entityId) {
    if (!this.#members.has(entityId)) this.#members.set(entityId, await trustedMember(entityId, this.anchor));
    return this.#members.get(entityId);
  }

  /** Discovery of a holder (RFC 8414), as openid-client does it. */
  async holder(entityId) {
    if (!this.#configs.has(entityId)) {
      const config = await oauth.discovery(
        new URL(entityId),
        this.entityId,
        { dpop_bound_access_tokens: true },
        oauth.PrivateKeyJwt({ key: this.keys.client.privateKey, kid: this.keys.client.kid }, {
          [oauth.modifyAssertion]: (header) => {
            if (this.handedIn) header.trust_chain = this.handedIn;
          },
        }),
        { algorithm: 'oauth2', execute: [oauth.allowInsecureRequests], [oauth.customFetch]: this.#recordingFetch },
      );
      // One DPoP key and one memory of nonces for each holder.
      const dpop = oauth.getDPoPHandle(config, this.keys.dpop);
      this.#configs.set(entityId, { config, dpop });
    }
    return this.#configs.get(entityId);
  }

  #recordingFetch = async (url, options) => {
    const headers = Object.fromEntries(new Headers(options.headers).entries());
    const response = await fetch(url, options);
    this.wire.push({ url: String(url), method: options.method, headers, status: response.status });
    if (this.wire.length > 50) this.wire.shift();
    return response;
  };

  /** One `authorization_details` entry (RFC 9396) for a use. */
  detail(holder, dataset, use, changes = {}) {
    return {
      type: 'omadata_dataset',
      locations: [holder],
      identifier: dataset,
      actions: ['read'],
      datatypes: [...use.requiredFields, ...use.optionalFields],
      use: use.id,
      purpose: use.purpose,
      frequency: { max: use.maxExchanges },
      retention: use.retention,
      until: new Date(Date.now() + 30 * DAY).toISOString().slice(0, 10),
      ...changes,
    };
  }

  /** Pushes a request (RFC 9126) with DPoP, PKCE and RAR; where to send the browser, and what to remember. */
  async ask(holder, details, parameters = {}) {
    const { config, dpop } = await this.holder(holder);
    const state = oauth.randomState();
    const verifier = oauth.randomPKCECodeVerifier();
    const url = await oauth.buildAuthorizationUrlWithPAR(config, {
      redirect_uri: this.redirectUri,
      state,
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      authorization_details: JSON.stringify([details].flat()),
      grant_management_action: 'create',
      ...parameters,
    }, { DPoP: dpop });
    const arrival = new Promise((resolve) => this.#arrivals.set(state, resolve));
    return { holder, url, state, verifier, arrival };
  }

  /** Redeems the code that a browser came back with. `state` and `iss` (RFC 9207) are openid-client's to check. */
  async redeem({ holder, state, verifier }, arrivedAt) {
    const { config, dpop } = await this.holder(holder);
    return oauth.authorizationCodeGrant(
      config,
      arrivedAt,
      { pkceCodeVerifier: verifier, expectedState: state },
      undefined,
      { DPoP: dpop },
    );
  }

  /** Redeems the code of a permission that a resident gave without being asked, with this recipient's DPoP key or another. */
  async redeemPreAuthorized(holder, code, key) {
    const { config, dpop } = await this.holder(holder);
    const DPoP = key ? oauth.getDPoPHandle(config, key) : dpop;
    return oauth.genericGrantRequest(config, PRE_AUTHORIZED, { 'pre-authorized_code': code }, { DPoP });
  }

  /** A new token for a consent that outlives the old one. */
  async refresh(holder, refreshToken) {
    const { config, dpop } = await this.holder(holder);
    return oauth.refreshTokenGrant(config, refreshToken, undefined, { DPoP: dpop });
  }

  /** One exchange. Throws openid-client's error with `status` and the parsed challenge where it is refused. */
  async fetchData(holder, dataset, accessToken, query = {}) {
    const { config, dpop } = await this.holder(holder);
    const url = new URL(`${holder}/exchange/datasets/${dataset}`);
    url.search = new URLSearchParams(query).toString();
    const response = await oauth.fetchProtectedResource(
      config, accessToken, url, 'GET', undefined, undefined, { DPoP: dpop },
    );
    const body = Buffer.from(await response.arrayBuffer());
    if (response.status !== 200) {
      throw Object.assign(new Error(`exchange answers ${response.status}`), { status: response.status, body });
    }
    return { response, body, json: JSON.parse(body.toString('utf8')), receipt: await this.checkReceipt(holder, response, body) };
  }

  /** The receipt's signature with the holder's published keys, and the body's digest (RFC 9530). */
  async checkReceipt(holder, response, body) {
    const digest = createHash('sha256').update(body).digest();
    const stated = response.headers.get('content-digest');
    if (stated !== `sha-256=:${digest.toString('base64')}:`) throw new Error('Content-Digest does not fit the body');
    const { oauth_resource: resource } = await this.member(holder);
    const { payload } = await jwtVerify(response.headers.get('omadata-receipt') ?? '', createLocalJWKSet(resource.jwks), {
      issuer: holder, typ: 'exchange-receipt+jwt', algorithms: ['ES256', 'EdDSA'],
    });
    return { claims: payload, bodyDigest: digest.toString('base64url') };
  }

  /** The consent token's signature and claims (RFC 9068), as a resource server would check them. */
  async checkToken(holder, accessToken) {
    const { oauth_authorization_server: server } = await this.member(holder);
    const { payload } = await jwtVerify(accessToken, createLocalJWKSet(server.jwks), {
      issuer: holder, audience: holder, typ: 'at+jwt', algorithms: ['ES256', 'EdDSA'],
      requiredClaims: ['sub', 'client_id', 'iat', 'nbf', 'exp', 'jti', 'grant_id', 'cnf', 'authorization_details',
        'status', 'consent_commitment'],
    });
    return payload;
  }

  /** One request at the holder's grant management endpoint, with a token of the client's own (client credentials). */
  async manageGrant(holder, grant, { method = 'GET', scope = 'grant_management_query' } = {}) {
    const { config, dpop } = await this.holder(holder);
    const { access_token: token } = await oauth.clientCredentialsGrant(config, { scope }, { DPoP: dpop });
    const url = new URL(`${config.serverMetadata().grant_management_endpoint}/${grant}`);
    const response = await oauth.fetchProtectedResource(
      config, token, url, method, undefined, undefined, { DPoP: dpop },
    );
    const body = await response.text();
    return { status: response.status, json: body ? JSON.parse(body) : undefined };
  }

  async introspect(holder, accessToken) {
    const { config } = await this.holder(holder);
    return oauth.tokenIntrospection(config, accessToken);
  }

  async revoke(holder, token, parameters = {}) {
    const { config } = await this.holder(holder);
    return oauth.tokenRevocation(config, token, parameters);
  }
}

/** Starts a recipient on `http://<name>.localhost:<port>`; `uses` makes its declared uses from its entity identifier. */
export async function startRecipient({ name = 'visitor', port, anchor, uses }) {
  const entityId = `http://${name}.localhost:${port}`;
  const keys = { federation: await newKey(), client: await newKey(), dpop: await newKey() };
  const recipient = new Recipient({ entityId, anchor, keys, uses: uses(entityId) });
  const server = createServer((request, response) => {
    recipient.answer(request, response).catch((error) => {
      recipient.refused.push(error);
      if (!response.headersSent) response.writeHead(500);
      response.end();
    });
  });
  await listen(server, port);
  recipient.stop = () => stopListening(server);
  return recipient;
}
