// Debian's Chromium clicks the whole story: phone and desktop, in the three languages, with the demo's login provider and
// with a certified one, with JavaScript switched off and on. Screenshots go to tests/artefacts/.

import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { chromium } from 'playwright-core';
import { inspectPage } from './page-checks.mjs';
import { ARTEFACTS, World } from './world.mjs';

const CHROMIUM = process.env.OMADATA_CHROMIUM ?? '/usr/bin/chromium';
const VIEWPORTS = { phone: { width: 390, height: 844 }, desktop: { width: 1280, height: 900 } };
const ALLOW = { fi: 'Anna lupa', sv: 'Ge tillstånd', en: 'Allow' };
const LOCALE = { fi: 'fi-FI', sv: 'sv-FI', en: 'en-GB' };

let browser;

before(async () => {
  browser = await chromium.launch({
    executablePath: CHROMIUM,
    headless: true,
    // Only pages of this test are opened, and a container offers no sandbox of Chromium's kind.
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync'],
  });
});

after(async () => {
  await browser?.close();
});

/** One person at one device. */
class Person {
  #shots = 0;

  static async with(world, { language, device, javaScript, name }) {
    const person = new Person();
    Object.assign(person, { world, language, device, name, troubles: [] });
    person.context = await browser.newContext({
      viewport: VIEWPORTS[device],
      locale: LOCALE[language],
      timezoneId: 'Europe/Helsinki',
      javaScriptEnabled: javaScript,
      hasTouch: device === 'phone',
    });
    person.page = await person.context.newPage();
    person.page.setDefaultTimeout(15_000);
    person.page.on('console', (message) => {
      // Loads that failed are judged by their status, below.
      if (message.type() !== 'error' || message.text().startsWith('Failed to load resource')) return;
      person.troubles.push(`console: ${message.text()} (${message.location().url})`);
    });
    person.page.on('pageerror', (error) => person.troubles.push(`script: ${error.message}`));
    person.page.on('response', (response) => {
      const document = response.request().resourceType() === 'document';
      if (response.status() >= (document ? 500 : 400)) person.troubles.push(`${response.status()} ${response.url()}`);
    });
    return person;
  }

  /** Looks at the page as it stands: keeps a picture and checks what every page must be. */
  async look(what, options = {}) {
    this.#shots += 1;
    const file = `${this.name}-${String(this.#shots).padStart(2, '0')}-${what}.png`;
    await mkdir(join(ARTEFACTS, 'screenshots'), { recursive: true });
    // Inspected before the picture, for which Playwright puts a style of its own into the page.
    const found = await inspectPage(this.page, { language: this.language, ...options });
    await this.page.screenshot({ path: join(ARTEFACTS, 'screenshots', file), fullPage: true });
    assert.deepEqual(found, [], `${what}: ${this.page.url()}`);
  }

  async logIn(username) {
    await this.page.waitForURL((url) => url.origin === this.world.loginIssuer);
    if (!this.world.provider) await this.look('login');
    await this.page.locator(`[name="resident"][value="${username}"]`).click();
    await this.page.waitForURL((url) => url.origin !== this.world.loginIssuer);
  }

  /** The consent page: looks, chooses several fetches, and allows. Returns what the page said. */
  async allow(times) {
    await this.page.waitForURL(/\/consent\//);
    await this.look('consent');
    const said = await this.page.locator('main').innerText();
    const optional = this.page.locator('input[type="checkbox"][name="field"]');
    for (let i = 0; i < await optional.count(); i += 1) {
      assert.equal(await optional.nth(i).isChecked(), false, 'nothing is preselected');
    }
    const buttons = this.page.locator('button[name="decision"]');
    const sizes = await buttons.evaluateAll((all) => all.map((b) => [b.offsetHeight, getComputedStyle(b).fontSize]));
    assert.equal(sizes.length, 2);
    assert.deepEqual(sizes[0], sizes[1], 'the two buttons weigh the same');
    await this.page.locator('input[name="duration"][value="until"]').check();
    await this.page.locator('[name="times"]').fill(String(times));
    const allow = this.page.locator('button[name="decision"][value="allow"]');
    assert.match(await allow.innerText(), new RegExp(ALLOW[this.language]));
    await allow.click();
    return said;
  }

  /** Two clicks from the portal's first page. */
  async stop(city) {
    await this.page.goto(`${city}/me`);
    await this.look('overview');
    await this.page.locator('a[href$="/stop"]').first().click();
    await this.look('stop');
    await this.page.locator('form[action$="/stop"] button, form:not([action]) button').first().click();
    await this.page.waitForLoadState();
    await this.look('stopped');
  }

  /** Logs out, here and at the login provider: the next visit asks who one is. */
  async logOut(city) {
    const { page } = this;
    await page.locator('form[action="/logout"] button').click();
    const asks = page.locator('[name="logout"][value="yes"]');
    const back = page.waitForURL((url) => url.href === `${city}/`);
    const asked = asks.click().catch(() => {}); // the demo's provider does not ask
    await Promise.race([back, asked.then(() => back)]);
    await page.goto(`${city}/login`);
    await page.waitForURL((url) => url.origin === this.world.loginIssuer);
    await page.locator('[name="resident"]').first().waitFor();
  }

  async leave() {
    await this.context.close();
    assert.deepEqual(this.troubles, []);
  }
}

/** The city's service, played by the demo's page for integrators. English only, because it is for developers. */
class ServicePage {
  constructor(person) {
    this.person = person;
    this.page = person.page;
  }

  /** Asks for placements on behalf of a city's service, and follows the link that the service would give its customer. */
  async ask({ asking, holding, resident }) {
    const { page, person } = this;
    await page.goto(person.world.servicePage);
    await page.getByLabel('Your city').selectOption(asking);
    await page.getByLabel('The city that holds the data').selectOption(holding);
    await page.getByRole('button', { name: 'Show what can be asked' }).click();
    await page.locator('input[name="choice"][value*="placement"]').first().check();
    await page.locator('select[name="person"]').selectOption(resident);
    await person.look('service', { language: 'en' });
    await page.getByRole('button', { name: 'Ask for the permission' }).click();
    this.case = page.url();
    await page.getByRole('link', { name: 'Continue as the resident' }).click();
  }

  /** Fetches as the service would: the rows that came, by field, or the problem that the node told. */
  async fetch() {
    const { page } = this;
    await page.goto(this.case);
    await page.getByRole('button', { name: 'Fetch', exact: true }).click();
    const table = page.locator('table').filter({ hasText: 'What was fetched' });
    if (!await table.count()) return { problem: await page.locator('.problem').innerText() };
    const columns = await table.locator('thead th').allInnerTexts();
    const rows = [];
    for (const row of await table.locator('tbody tr').all()) {
      const cells = await row.locator('td').allInnerTexts();
      rows.push(Object.fromEntries(columns.map((column, index) => [column.trim(), cells[index].trim()])));
    }
    return { rows };
  }
}

function story(world, options) {
  return async () => {
    const person = await Person.with(world(), options);
    const { espoo } = world().nodes;
    const service = new ServicePage(person);

    await service.ask({ asking: 'helsinki', holding: 'espoo', resident: 'aino' });
    await person.logIn('aino');
    const shown = await person.allow(3);
    await person.page.waitForURL((url) => url.origin === world().servicePage);
    await person.look('service-back', { language: 'en' });

    const { rows } = await service.fetch();
    await person.look('service-data', { language: 'en' });
    assert.ok(rows?.length, 'data came');
    for (const { unit } of rows) assert.ok(shown.includes(unit), `the consent page showed the unit that was fetched: ${unit}`);

    await person.page.goto(`${espoo.base_url}/me/log`);
    await person.look('log');
    assert.match(await person.page.locator('main').innerText(), /Helsin/, 'the log names who fetched');

    await person.stop(espoo.base_url);
    const { problem } = await service.fetch();
    await person.look('service-refused', { language: 'en' });
    assert.ok(problem, 'the next fetch is refused, with a reason');
    await person.leave();
  };
}

function residentStarts(world, options) {
  return async () => {
    const person = await Person.with(world(), options);
    const { page } = person;
    const { helsinki, espoo } = world().nodes;
    await page.goto(`${espoo.base_url}/`);
    await person.look('home');
    await page.goto(`${espoo.base_url}/login`);
    await person.logIn('aino');
    await page.goto(`${espoo.base_url}/partners`);
    await person.look('partners');
    const use = page.locator(`a[href*="/partners/use?id="][href*="${encodeURIComponent(helsinki.base_url)}"]`);
    await use.first().click();
    await person.look('use');
    await page.locator('form:has(input[name="id"]) button').click();
    await person.allow(2);
    await page.waitForURL((url) => url.origin === espoo.base_url);
    await person.look('decided');
    await page.goto(`${espoo.base_url}/me/sharing`);
    await person.look('sharing');
    await page.locator('a[href*="/me/sharing/"]:not([href$="/stop"])').first().click();
    await person.look('permission');
    for (const path of ['/catalogue', '/me/log']) {
      await page.goto(`${espoo.base_url}${path}`);
      await person.look(path.split('/').at(-1));
    }
    await person.stop(espoo.base_url);
    await person.logOut(espoo.base_url);
    await person.leave();
  };
}

/** A passkey's journey: added with a virtual authenticator, demanded by confidential data, refused without one. */
function passkeyStory(world) {
  return async () => {
    const person = await Person.with(world(), {
      language: 'en', device: 'desktop', javaScript: true, name: 'passkey-en-desktop',
    });
    const { page } = person;
    const { espoo, helsinki } = world().nodes;
    const devtools = await person.context.newCDPSession(page);
    await devtools.send('WebAuthn.enable');
    const { authenticatorId } = await devtools.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true,
        isUserVerified: true, automaticPresenceSimulation: true,
      },
    });
    const verified = (isUserVerified) => devtools.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified });
    const script = { script: '/assets/passkey.js' };

    // The decision on confidential data: a stronger login first, and no permission without a passkey.
    await page.goto(`${espoo.base_url}/login`);
    await person.logIn('aino');
    const use = new URL(`${espoo.base_url}/partners/use`);
    use.searchParams.set('id', `${helsinki.base_url}/catalogue/uses/early-education-support`);
    await page.goto(use.href);
    await page.locator('form:has(input[name="id"]) button').click();
    await person.logIn('aino');
    await page.waitForURL(/\/consent\//);
    const decision = page.url();
    await person.look('passkey-missing');
    await page.locator('button[name="decision"][value="allow"]').click();
    await page.waitForLoadState();
    assert.match(await page.locator('h1').innerText(), /passkey/i, 'nothing is allowed without a passkey');

    // It is added, right after a login, and the browser comes back to the decision.
    await page.goto(decision);
    await page.locator('a[href^="/me/passkeys/new"]').click();
    await page.getByLabel('Name of the passkey').fill('Laptop');
    await person.look('passkey-new', script);
    await page.locator('form[data-passkey] button').click();
    await page.waitForURL(decision);

    // Without its owner the device signs nothing; with them it signs exactly this decision.
    await page.locator('button[name="decision"][value="allow"]').click();
    await page.waitForURL(/\/passkey$/);
    await person.look('passkey-confirm', script);
    await verified(false);
    await page.locator('form[data-passkey] button').click();
    await page.locator('#passkey-failed').waitFor({ state: 'visible' });
    await verified(true);
    await page.locator('form[data-passkey] button').click();
    await page.waitForURL(/\/done$/);
    await person.look('passkey-decided');

    await page.goto(`${espoo.base_url}/me/passkeys`);
    await person.look('passkeys');
    assert.match(await page.locator('main').innerText(), /Laptop/);
    await page.locator('form[action$="/remove"] button').click();
    await page.waitForURL(/notice=removed/);
    assert.doesNotMatch(await page.locator('main').innerText(), /Laptop/);
    await person.leave();
  };
}

for (const foreignProvider of [false, true]) {
  const provider = foreignProvider ? 'oidc-provider' : 'demo-provider';
  describe(`with ${provider}`, () => {
    let world;
    before(async () => {
      world = await World.start({ name: `browser-${provider}`, foreignProvider });
    });
    after(async () => {
      await world?.stop();
    });
    const journeys = foreignProvider
      ? [['en', 'phone', false], ['fi', 'desktop', true]]
      : [['fi', 'phone', false], ['en', 'desktop', true], ['sv', 'phone', true]];
    if (!foreignProvider) {
      test('a passkey is added, signs a decision and is removed (JavaScript on)', passkeyStory(() => world));
    }
    for (const [language, device, javaScript] of journeys) {
      const title = `${language}, ${device}, JavaScript ${javaScript ? 'on' : 'off'}`;
      const options = { language, device, javaScript };
      test(`a service asks (${title})`, story(() => world, { ...options, name: `asks-${language}-${device}` }));
      test(`the resident starts (${title})`, residentStarts(() => world, { ...options, name: `starts-${language}-${device}` }));
    }
  });
}
