// The login provider of the cities, made of npm `oidc-provider` (a certified OpenID provider) in place of the demo's own.
//
// By hand:  ISSUER=http://login.localhost:8409 ACCOUNTS_FILE=residents.json CLIENT_SECRET_FILE=secret \
//           CITIES='{"espoo":"http://espoo.localhost:8402"}' node provider.mjs
//
// ACCOUNTS_FILE is the demo's ready file, or a JSON array of residents as it has them: [{"username","name","identifier"}, …].
// It is read anew at every login, so that it may be written after the provider has started. PORT says where it listens when
// a proxy ends TLS before it.

import { createServer } from 'node:http';
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { exportJWK, generateKeyPair } from 'jose';
import Provider from 'oidc-provider';
import { listen, stopListening } from './loopback.mjs';

/** The levels of assurance that a login here can reach, the weakest first. */
export const ACR_VALUES = ['urn:omadata:demo:loa2', 'urn:omadata:demo:loa3'];

const escapeHtml = (text) => String(text).replace(/[&<>"']/g, (character) => `&#${character.codePointAt(0)};`);

function page(title, body) {
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escapeHtml(title)}</title></head>
<body><main><h1>${escapeHtml(title)}</h1>
${body}
</main></body>
</html>`;
}

/** Writes a small page that runs no script and is kept nowhere. */
function sendPage(response, status, title, body) {
  response.writeHead(status, {
    'Content-Type': 'text/html; charset=utf-8',
    'Cache-Control': 'no-store',
    'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  });
  response.end(page(title, body));
}

async function formOf(request) {
  const chunks = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > 10_000) throw new Error('form too large');
    chunks.push(chunk);
  }
  return new URLSearchParams(Buffer.concat(chunks).toString('utf8'));
}

/** How a client is registered with the Finnish Trust Network: keys, signed requests, encrypted answers. */
function protectedClient(baseUrl) {
  return {
    jwks_uri: `${baseUrl}/oauth/login-jwks`,
    token_endpoint_auth_method: 'private_key_jwt',
    token_endpoint_auth_signing_alg: 'RS256',
    request_object_signing_alg: 'RS256',
    require_signed_request_object: true,
    id_token_encrypted_response_alg: 'RSA-OAEP',
    id_token_encrypted_response_enc: 'A128GCM',
    userinfo_signed_response_alg: 'ES256',
    userinfo_encrypted_response_alg: 'ECDH-ES',
    userinfo_encrypted_response_enc: 'A128CBC-HS256',
  };
}

const PROTECTED_ALGORITHMS = {
  clientAuthSigningAlgValues: ['RS256'],
  requestObjectSigningAlgValues: ['RS256'],
  idTokenEncryptionAlgValues: ['RSA-OAEP'],
  idTokenEncryptionEncValues: ['A128GCM'],
  userinfoSigningAlgValues: ['ES256'],
  userinfoEncryptionAlgValues: ['ECDH-ES'],
  userinfoEncryptionEncValues: ['A128CBC-HS256'],
};

async function configuration({ cities, clientSecret, identifierClaim, accounts, claimsParameter, protectedMessages }) {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  const signingKey = { ...(await exportJWK(privateKey)), alg: 'ES256', use: 'sig', kid: 'login-1' };
  return {
    jwks: { keys: [signingKey] },
    enabledJWA: { idTokenSigningAlgValues: ['ES256'], ...(protectedMessages ? PROTECTED_ALGORITHMS : {}) },
    // One client for each city's node; all with the same secret, because this is a test.
    clients: Object.entries(cities).map(([city, baseUrl]) => ({
      client_id: city,
      ...(protectedMessages
        ? protectedClient(baseUrl)
        : { client_secret: clientSecret, token_endpoint_auth_method: 'client_secret_basic' }),
      client_name: city,
      redirect_uris: [`${baseUrl}/login/callback`],
      post_logout_redirect_uris: [`${baseUrl}/`],
      response_types: ['code'],
      grant_types: ['authorization_code'],
      id_token_signed_response_alg: 'ES256',
      require_auth_time: true,
    })),
    scopes: ['openid', 'profile', 'national_id'],
    claims: {
      openid: ['sub', 'acr', 'amr'],
      profile: ['name', 'given_name', 'family_name', identifierClaim],
      national_id: [identifierClaim],
      auth_time: null,
    },
    // The identifier stands in the ID token itself, signed, and not only at the UserInfo endpoint; where that is encrypted,
    // there alone, so that both are tried.
    conformIdTokenClaims: protectedMessages,
    acrValues: ACR_VALUES,
    discovery: { ui_locales_supported: ['fi', 'sv', 'en'] },
    pkce: { required: () => true },
    responseTypes: ['code'],
    clientAuthMethods: [protectedMessages ? 'private_key_jwt' : 'client_secret_basic'],
    // The cities' key sets are on this machine, which the provider's own dispatcher keeps it from.
    fetch: (url, { dispatcher: _guarded, ...options }) => fetch(url, options),
    cookies: { keys: [randomBytes(32).toString('base64url')] },
    ttl: { Interaction: 600, Session: 3600, Grant: 3600, AuthorizationCode: 60, AccessToken: 300, IdToken: 300 },
    features: {
      devInteractions: { enabled: false },
      userinfo: { enabled: true },
      jwtUserinfo: { enabled: protectedMessages },
      encryption: { enabled: protectedMessages },
      requestObjects: { enabled: protectedMessages },
      claimsParameter: { enabled: claimsParameter },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: (ctx, form) => {
          ctx.body = page('Log out', `${form}
<button type="submit" form="op.logoutForm" name="logout" value="yes">Log out</button>`);
        },
        postLogoutSuccessSource: (ctx) => { ctx.body = page('Logged out', '<p>You are logged out.</p>'); },
      },
    },
    renderError: (ctx, out) => { ctx.type = 'html'; ctx.body = page('Login failed', `<p>${escapeHtml(out.error)}</p>`); },
    interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
    findAccount: async (_ctx, username) => {
      const account = (await accounts()).find((candidate) => candidate.username === username);
      if (!account) return undefined;
      const [given, ...family] = account.name.split(' ');
      return {
        accountId: account.username,
        claims: async () => ({
          sub: account.username,
          name: account.name,
          given_name: given,
          family_name: family.join(' '),
          [identifierClaim]: account.identifier,
        }),
      };
    },
    // A city's own provider: its residents are never asked whether the city may know them.
    loadExistingGrant: async (ctx) => {
      const { client, session, provider } = ctx.oidc;
      const known = session.grantIdFor(client.clientId);
      const existing = known && await provider.Grant.find(known);
      if (existing) return existing;
      const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
      grant.addOIDCScope('openid profile national_id');
      await grant.save();
      return grant;
    },
  };
}

/** The page on which a resident is picked, and the answer to it. Cancelling is an answer too. */
async function interact(provider, accounts, behaviour, request, response) {
  const { uid, params } = await provider.interactionDetails(request, response);
  if (request.method === 'GET') {
    const people = (await accounts()).map((account) => `<p><button type="submit" name="resident" value="${
      escapeHtml(account.username)}">${escapeHtml(account.name)}</button></p>`);
    return sendPage(response, 200, 'Log in', `<form method="post" action="/interaction/${escapeHtml(uid)}">
<p><label>User name <input name="username" autocomplete="username"></label> <button type="submit">Log in</button></p>
${people.join('\n')}
<p><button type="submit" name="cancel" value="yes">Cancel</button></p>
</form>`);
  }
  const form = await formOf(request);
  const username = form.get('resident') || form.get('username');
  const known = (await accounts()).some((account) => account.username === username);
  if (!form.get('cancel') && !known) return sendPage(response, 400, 'Log in', '<p>No such resident.</p>');
  const levels = params.acr_values?.split(' ') ?? JSON.parse(params.claims ?? '{}').id_token?.acr?.values ?? [];
  const wanted = levels.find((value) => ACR_VALUES.includes(value)) ?? ACR_VALUES[0];
  const login = {
    accountId: username, acr: behaviour.acr ?? wanted, amr: ['pwd'], remember: true,
    ts: Math.floor(Date.now() / 1000) - behaviour.loggedInSecondsAgo,
  };
  let result = { login };
  if (form.get('cancel')) result = { error: 'access_denied', error_description: 'the resident turned back' };
  else if (behaviour.error) result = { error: behaviour.error };
  return provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
}

/**
 * Starts the provider on its issuer's port. What it returns has a `behaviour` that a test may change while it runs: the
 * level that every login has in place of the one wanted, how long ago people logged in elsewhere, or the error with which
 * a login ends.
 *
 * @param {{issuer: string, cities: Record<string, string>, clientSecret: string, accountsFile: string,
 *   identifierClaim?: string, claimsParameter?: boolean, protectedMessages?: boolean, port?: number}} options
 *   `cities` maps a client identifier to the base URL of that city's node; `identifierClaim` names the claim that carries
 *   the national identifier; `claimsParameter` says whether it understands the parameter `claims`, `protectedMessages`
 *   whether it demands signed requests and encrypts its answers; `port` is where it listens behind a proxy (otherwise the
 *   issuer's own).
 */
export async function startProvider({
  issuer, cities, clientSecret, accountsFile, identifierClaim = 'national_id', claimsParameter = true,
  protectedMessages = false, port,
}) {
  const accounts = async () => {
    const read = JSON.parse(await readFile(accountsFile, 'utf8'));
    return read.residents ?? read;
  };
  const settings = await configuration({ cities, clientSecret, identifierClaim, accounts, claimsParameter, protectedMessages });
  const provider = new Provider(issuer, settings);
  provider.proxy = port !== undefined;
  const behaviour = { acr: undefined, loggedInSecondsAgo: 0, error: undefined };
  const errors = [];
  provider.on('server_error', (_ctx, error) => errors.push(error));
  // How many answers went out encrypted: a compact JWE has five parts.
  const encrypted = { idTokens: 0, userInfos: 0 };
  const isJwe = (text) => typeof text === 'string' && text.split('.').length === 5;
  provider.use(async (ctx, next) => {
    await next();
    if (isJwe(ctx.body?.id_token)) encrypted.idTokens += 1;
    if (ctx.path === '/me' && isJwe(String(ctx.body))) encrypted.userInfos += 1;
  });
  const callback = provider.callback();
  const server = createServer((request, response) => {
    if (!request.url.startsWith('/interaction/')) return callback(request, response);
    return interact(provider, accounts, behaviour, request, response).catch((error) => {
      errors.push(error);
      if (!response.headersSent) sendPage(response, 400, 'Login failed', '<p>Start again.</p>');
    });
  });
  await listen(server, port ?? Number(new URL(issuer).port));
  return { issuer, errors, behaviour, encrypted, stop: () => stopListening(server) };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { ISSUER, CITIES, CLIENT_SECRET_FILE, ACCOUNTS_FILE, IDENTIFIER_CLAIM, PORT } = process.env;
  const provider = await startProvider({
    issuer: ISSUER,
    cities: JSON.parse(CITIES),
    clientSecret: (await readFile(CLIENT_SECRET_FILE, 'utf8')).trim(),
    accountsFile: ACCOUNTS_FILE,
    identifierClaim: IDENTIFIER_CLAIM,
    port: PORT && Number(PORT),
  });
  console.log(`login provider: ${provider.issuer}`);
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => provider.stop());
}
