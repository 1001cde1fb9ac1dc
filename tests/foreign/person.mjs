// People at browsers: Debian's Chromium, what a person does in a portal with it, and what is checked on every page that
// they meet. Screenshots go to tests/artefacts/.

import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { inspectContrast, inspectPage } from './page-checks.mjs';
import { ARTEFACTS } from './world.mjs';

const CHROMIUM = process.env.OMADATA_CHROMIUM ?? '/usr/bin/chromium';
// A small phone: what fits there fits on any.
const VIEWPORTS = { phone: { width: 360, height: 760 }, desktop: { width: 1280, height: 900 } };
const ALLOW = { fi: 'Anna lupa', sv: 'Ge tillstånd', en: 'Allow' };
const LOCALE = { fi: 'fi-FI', sv: 'sv-FI', en: 'en-GB' };

export function startBrowser() {
  return chromium.launch({
    executablePath: CHROMIUM,
    headless: true,
    // Only pages of this test are opened, and a container offers no sandbox of Chromium's kind.
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync'],
  });
}

/** One person at one device. */
export class Person {
  #shots = 0;

  static async at(browser, world, { language, device, javaScript = true, name }) {
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
    const found = await inspectPage(this.page, { language: this.language, ...options });
    found.push(...await inspectContrast(this.page));
    await this.page.screenshot({ path: join(ARTEFACTS, 'screenshots', file), fullPage: true, caret: 'initial' });
    assert.deepEqual(found, [], `${what}: ${this.page.url()}`);
  }

  async logIn(username) {
    await this.page.waitForURL((url) => url.origin === this.world.loginIssuer);
    if (!this.world.provider) await this.look('login');
    // It may lead to another login, where a stronger one is asked for.
    const here = this.page.url();
    await this.page.locator(`[name="resident"][value="${username}"]`).click();
    await this.page.waitForURL((url) => url.href !== here);
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
    // Whose data is for the resident to choose: everybody's, here.
    for (const person of await this.page.locator('input[name="person"]').all()) {
      assert.equal(await person.isChecked(), false, 'nobody is preselected');
      await person.check();
    }
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
    await this.page.waitForURL(/\/stop$/);
    await this.look('stop');
    await this.page.locator('form[action$="/stop"] button, form:not([action]) button').first().click();
    await this.page.waitForURL((url) => !url.pathname.endsWith('/stop'));
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
export class ServicePage {
  constructor(person) {
    this.person = person;
    this.page = person.page;
  }

  /** Asks on behalf of a city's service, and follows the link that the service would give its customer. */
  async ask({ asking, holding, resident, dataset = 'placements' }) {
    const { page, person } = this;
    await page.goto(person.world.servicePage);
    await page.getByLabel('Your city').selectOption(asking);
    await page.getByLabel('The city that holds the data').selectOption(holding);
    await page.getByRole('button', { name: 'Show what can be asked' }).click();
    await page.locator(`input[name="choice"][value*="${dataset}"]`).first().check();
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
