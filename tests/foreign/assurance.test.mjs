// Stronger and fresher logins at a certified provider (npm oidc-provider): asked for only where the data or the service
// demands them, in the words of OpenID Connect and RFC 9470, and refused plainly where the provider does not bring them.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { decide, logIn, logInAt, startPermission } from './portal.mjs';
import { ACR_VALUES } from './provider.mjs';
import { declaredUse } from './recipient.mjs';
import { describe as describePage, Visitor } from './visitor.mjs';
import { World } from './world.mjs';

const [EVERYDAY, STRONG] = ACR_VALUES;
const UNMET = 'unmet_authentication_requirements';
const PLACEMENTS = { type: 'early-education-placements', required: ['childName', 'unit', 'startDate', 'endDate'] };
// Turku asks for the higher level, and for a login of the last quarter of an hour.
const SUPPORT = { type: 'early-education-assistance', required: ['childName', 'level'] };

class Case {
  static async start(name, claimsParameter) {
    const stage = new Case();
    const uses = (id) => [PLACEMENTS, SUPPORT].map(({ type, required }) => (
      { ...declaredUse(id, type, { datasetType: type, required }), legalBasis: type === SUPPORT.type ? 'A9-2-a' : 'A6-1-a' }
    ));
    stage.world = await World.start({ name, foreignProvider: true, claimsParameter, recipient: { uses } });
    stage.turku = stage.world.nodes.turku.base_url;
    stage.recipient = stage.world.recipient;
    return stage;
  }

  /** The recipient asks Turku, and the browser goes there; it logs in for the first time where it must. */
  async ask(what, { visitor = new Visitor({ language: 'en' }), ...parameters } = {}) {
    const use = this.recipient.uses.find(({ datasetType }) => datasetType === what.type);
    const dataset = this.world.nodes.turku.datasets.find(({ type }) => type === what.type).id;
    const request = await this.recipient.ask(this.turku, this.recipient.detail(this.turku, dataset, use), parameters);
    const before = visitor.visited.length;
    await visitor.open(request.url);
    return { visitor, request, dataset, logins: () => this.#logins(visitor.visited.slice(before)) };
  }

  /** What the provider was asked, login for login. */
  #logins(visited) {
    const asked = visited.map(({ url }) => new URL(url))
      .filter((url) => url.origin === this.world.loginIssuer && url.pathname === '/auth');
    return asked.map(({ searchParams }) => ({
      acr_values: searchParams.get('acr_values'),
      max_age: searchParams.get('max_age'),
      prompt: searchParams.get('prompt'),
      acr: JSON.parse(searchParams.get('claims') ?? '{}').id_token?.acr ?? null,
    }));
  }

  isAtProvider(visitor) {
    return visitor.page.url.origin === this.world.loginIssuer;
  }

  logIn(visitor, username = 'aino') {
    assert.ok(this.isAtProvider(visitor), `no login was asked for: ${describePage(visitor.page)}`);
    return logIn(visitor, username);
  }

  isAtDecision(visitor) {
    return /^\/consent\/[^/]+$/.test(visitor.page.url.pathname);
  }

  /** The recipient learns that the resident cannot be known so well, and gets nothing. */
  async isToldUnmet({ visitor, request }) {
    const { url } = visitor.page;
    assert.equal(`${url.origin}${url.pathname}`, this.recipient.redirectUri, describePage(visitor.page));
    const arrivedAt = await request.arrival;
    assert.equal(arrivedAt.searchParams.get('error'), UNMET);
    assert.equal(arrivedAt.searchParams.get('iss'), this.turku);
    assert.equal(arrivedAt.searchParams.has('code'), false);
    await assert.rejects(this.recipient.redeem(request, arrivedAt), { error: UNMET });
  }

  /** The same where the resident started: a clear page, and no permission. */
  async isTurnedAway(visitor) {
    assert.equal(visitor.page.status, 403, describePage(visitor.page));
    assert.match(visitor.page.text, /stronger/i);
    assert.match(visitor.page.text, /None of your data was sent/);
    const mine = await visitor.open(`${this.turku}/me/sharing`);
    assert.throws(() => mine.link(/\/stop$/), /no link/, 'nothing was given');
  }

  /** Lets the provider behave so for a while. */
  async while(behaviour, doing) {
    const usual = { ...this.world.provider.behaviour };
    Object.assign(this.world.provider.behaviour, behaviour);
    try {
      return await doing();
    } finally {
      Object.assign(this.world.provider.behaviour, usual);
    }
  }
}

const NOTHING = { acr_values: null, max_age: null, prompt: null, acr: null };
// A demand is an essential claim, and nothing beside it; to a provider that knows none, a wish and a new login.
const ESSENTIAL = { ...NOTHING, max_age: '900', acr: { essential: true, values: [STRONG] } };
const WISH = { ...NOTHING, max_age: '900', acr_values: STRONG };

async function fetches(stage, { request, dataset }) {
  const tokens = await stage.recipient.redeem(request, await request.arrival);
  const claims = await stage.recipient.checkToken(stage.turku, tokens.access_token);
  const { json } = await stage.recipient.fetchData(stage.turku, dataset, tokens.access_token);
  assert.ok(json.records.length > 0);
  return claims;
}

describe('with a provider that knows essential claims', () => {
  let stage;
  before(async () => {
    stage = await Case.start('assurance-claims', true);
  });
  after(async () => {
    await stage?.world.stop();
  });

  test('what demands nothing asks for nothing', async () => {
    const asked = await stage.ask(PLACEMENTS);
    await stage.logIn(asked.visitor);
    await decide(asked.visitor, 'allow', { times: 2 });
    assert.deepEqual(asked.logins(), [NOTHING, NOTHING], 'the login, and the signature on the decision');
    assert.equal((await fetches(stage, asked)).acr, EVERYDAY);
  });

  test('confidential data asks for one stronger login before any value, and for none when it is there', async () => {
    const asked = await stage.ask(SUPPORT);
    const { visitor } = asked;
    await stage.logIn(visitor);
    await stage.logIn(visitor);
    assert.ok(stage.isAtDecision(visitor), describePage(visitor.page));
    await decide(visitor, 'allow', { times: 2 });
    assert.deepEqual(asked.logins(), [NOTHING, ESSENTIAL, ESSENTIAL]);
    const claims = await fetches(stage, asked);
    assert.equal(claims.acr, STRONG);
    assert.ok(Date.now() / 1000 - claims.auth_time < 120);

    const again = await stage.ask(SUPPORT, { visitor });
    assert.ok(stage.isAtDecision(visitor), describePage(visitor.page));
    assert.deepEqual(again.logins(), []);
    await decide(visitor, 'allow', { times: 2 });
    assert.deepEqual(again.logins(), [ESSENTIAL], 'the signature alone, without a screen');
    await fetches(stage, again);
  });

  test('a service may ask for more than the data does', async () => {
    const asked = await stage.ask(PLACEMENTS, { acr_values: STRONG, max_age: '300' });
    await stage.logIn(asked.visitor);
    await stage.logIn(asked.visitor);
    await decide(asked.visitor, 'allow', { times: 2 });
    const step = { ...ESSENTIAL, max_age: '300' };
    assert.deepEqual(asked.logins(), [NOTHING, step, step]);
    assert.equal((await fetches(stage, asked)).acr, STRONG);
  });

  test('a login of long ago is repeated, and refused when the provider says that it is still the old one', async () => {
    const hourAgo = { acr: STRONG, loggedInSecondsAgo: 3600 };
    const visitor = new Visitor({ language: 'en' });
    const asked = await stage.while(hourAgo, async () => {
      const begun = await stage.ask(SUPPORT, { visitor });
      await stage.logIn(visitor);
      return begun;
    });
    assert.deepEqual(asked.logins().slice(1), [ESSENTIAL]);
    await stage.logIn(visitor);
    assert.ok(stage.isAtDecision(visitor), 'a login of now is enough');

    await stage.while(hourAgo, async () => {
      const old = await stage.ask(SUPPORT);
      await stage.logIn(old.visitor);
      await stage.logIn(old.visitor);
      await stage.isToldUnmet(old);
    });
  });

  test('a provider that cannot know the resident so well says so, and the service hears it', async () => {
    const asked = await stage.ask(SUPPORT);
    await stage.logIn(asked.visitor);
    await stage.while({ error: UNMET }, async () => {
      await stage.logIn(asked.visitor);
      await stage.isToldUnmet(asked);
    });
    // Turning back decides nothing: the request is still there.
    const other = await stage.ask(SUPPORT);
    await stage.logIn(other.visitor);
    await other.visitor.submit(other.visitor.page.formWith('cancel'), {}, ['cancel', 'yes']);
    assert.equal(other.visitor.page.url.origin, stage.turku, describePage(other.visitor.page));
    assert.equal(other.visitor.page.status, 403, describePage(other.visitor.page));
  });

  test('what this login provider can never reach is refused when it is asked', async () => {
    await assert.rejects(stage.ask(PLACEMENTS, { acr_values: 'urn:nobody:knows' }), (error) => {
      assert.equal(error.error, UNMET, error.stack);
      return true;
    });
  });
});

describe('with a provider that knows no essential claims', () => {
  let stage;
  before(async () => {
    stage = await Case.start('assurance-no-claims', false);
  });
  after(async () => {
    await stage?.world.stop();
  });

  test('a new login is asked for, because a wish for a level would be overheard', async () => {
    const asked = await stage.ask(SUPPORT);
    await stage.logIn(asked.visitor);
    await stage.logIn(asked.visitor);
    await decide(asked.visitor, 'allow', { times: 2 });
    assert.deepEqual(asked.logins(), [NOTHING, { ...WISH, prompt: 'login' }, WISH]);
    assert.equal((await fetches(stage, asked)).acr, STRONG);
  });

  test('too low a level is refused, and the service hears why', async () => {
    await stage.while({ acr: EVERYDAY }, async () => {
      const asked = await stage.ask(SUPPORT);
      await stage.logIn(asked.visitor);
      await stage.logIn(asked.visitor);
      await stage.isToldUnmet(asked);
    });
  });

  test('too low a level is refused with a clear page where the resident started', async () => {
    const visitor = new Visitor({ language: 'en' });
    const use = stage.recipient.uses.find(({ datasetType }) => datasetType === SUPPORT.type);
    await stage.while({ acr: EVERYDAY }, async () => {
      await logInAt(visitor, stage.turku, 'otso');
      await startPermission(visitor, stage.turku, use.id);
      await stage.logIn(visitor, 'otso');
      await stage.isTurnedAway(visitor);
    });
  });

  test('a signature of a weaker login than the values were shown to gives nothing', async () => {
    const asked = await stage.ask(SUPPORT);
    const { visitor } = asked;
    await stage.logIn(visitor);
    await stage.logIn(visitor);
    assert.ok(stage.isAtDecision(visitor));
    // In another window the same person logs out at another city, and in again: a weaker login takes the strong one's place.
    const decision = visitor.page;
    const espoo = stage.world.nodes.espoo.base_url;
    const there = await visitor.open(`${espoo}/login`);
    const leaving = await visitor.submit(there.forms.find((form) => form.getAttribute('action') === '/logout'));
    const question = await visitor.open(leaving.link(/\/session\/end/));
    await visitor.submit(question.formWith('logout', 'yes'), {}, ['logout', 'yes']);
    await stage.while({ acr: EVERYDAY }, async () => {
      await visitor.open(`${espoo}/login`);
      await stage.logIn(visitor);
    });
    visitor.page = decision;
    await decide(visitor, 'allow', { times: 2 });
    await stage.isToldUnmet(asked);
  });
});
