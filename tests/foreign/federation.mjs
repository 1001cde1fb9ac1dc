// OpenID Federation 1.0 as a stranger reads it, over npm `jose`: enough to be a member, and to trust another one only
// through the anchor's signature.

import { createLocalJWKSet, decodeJwt, jwtVerify, SignJWT } from 'jose';
import './loopback.mjs';

const TYPE = 'entity-statement+jwt';
export const WELL_KNOWN = '/.well-known/openid-federation';

/** Signs an entity configuration: what a member says about itself. */
export async function entityConfiguration({ entityId, anchor, key, metadata, trustMarks = [], now = Date.now() }) {
  const seconds = Math.floor(now / 1000);
  return new SignJWT({
    jwks: { keys: [key.publicJwk] }, authority_hints: [anchor], metadata, trust_marks: trustMarks,
  })
    .setProtectedHeader({ alg: 'ES256', kid: key.kid, typ: TYPE })
    .setIssuer(entityId)
    .setSubject(entityId)
    .setIssuedAt(seconds)
    .setExpirationTime(seconds + 3600)
    .sign(key.privateKey);
}

async function fetchStatement(url) {
  const response = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(10_000) });
  if (response.status !== 200) throw new Error(`${url} answers ${response.status}`);
  const type = response.headers.get('content-type');
  if (type !== `application/${TYPE}`) throw new Error(`${url} answers with ${type}`);
  return response.text();
}

/** The trust mark of a type that the anchor gives a member, checked, as an entry of `trust_marks`. */
export async function trustMark(entityId, anchor, type) {
  const top = (await selfSigned(anchor)).claims;
  const endpoint = new URL(top.metadata.federation_entity.federation_trust_mark_endpoint);
  endpoint.searchParams.set('trust_mark_type', type);
  endpoint.searchParams.set('sub', entityId);
  const response = await fetch(endpoint, { redirect: 'error', signal: AbortSignal.timeout(10_000) });
  if (response.status !== 200) throw new Error(`${endpoint} answers ${response.status}`);
  if (response.headers.get('content-type') !== 'application/trust-mark+jwt') throw new Error('not a trust mark');
  const mark = await response.text();
  const { payload } = await jwtVerify(mark, createLocalJWKSet(top.jwks), {
    issuer: anchor, subject: entityId, typ: 'trust-mark+jwt', algorithms: ['ES256', 'EdDSA'], requiredClaims: ['iat'],
  });
  if (payload.trust_mark_type !== type) throw new Error('another trust mark than was asked for');
  return { trust_mark_type: type, trust_mark: mark };
}

async function verify(statement, { jwks, issuer, subject }) {
  const { payload } = await jwtVerify(statement, createLocalJWKSet(jwks), {
    issuer, subject, typ: TYPE, algorithms: ['ES256', 'EdDSA'], requiredClaims: ['iat', 'exp', 'jwks'],
  });
  return payload;
}

/** What an entity says about itself, verified with its own keys alone: proves possession, not membership. */
export async function selfSigned(entityId) {
  const statement = await fetchStatement(`${entityId}${WELL_KNOWN}`);
  const { jwks } = decodeJwt(statement);
  return { statement, claims: await verify(statement, { jwks, issuer: entityId, subject: entityId }) };
}

/** The metadata of a member, trusted through the anchor's statement about it. */
export async function trustedMember(entityId, anchor) {
  const top = (await selfSigned(anchor)).claims;
  const endpoint = new URL(top.metadata.federation_entity.federation_fetch_endpoint);
  endpoint.searchParams.set('sub', entityId);
  const about = await verify(await fetchStatement(endpoint.href), {
    jwks: top.jwks, issuer: anchor, subject: entityId,
  });
  const { statement, claims } = await selfSigned(entityId);
  // The member's own statement must be signed with a key that the anchor vouches for.
  await verify(statement, { jwks: about.jwks, issuer: entityId, subject: entityId });
  if (!claims.authority_hints?.includes(anchor)) throw new Error(`${entityId} does not name ${anchor}`);
  return claims.metadata;
}

/** A member's trust chain, as it may be handed in with a message (OpenID Federation 1.0 §4.3). */
export async function trustChain(entityId, anchor) {
  const top = await selfSigned(anchor);
  const endpoint = new URL(top.claims.metadata.federation_entity.federation_fetch_endpoint);
  endpoint.searchParams.set('sub', entityId);
  return [(await selfSigned(entityId)).statement, await fetchStatement(endpoint.href), top.statement];
}
