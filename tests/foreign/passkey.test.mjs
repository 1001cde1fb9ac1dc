// Passkeys in Debian's Chromium, with the browser's own virtual authenticators (Chrome DevTools Protocol, WebAuthn): added
// in the portal, demanded by a dataset, refused without, signed by either of two, cancelled, removed; and a clear sentence
// where JavaScript is off. What a passkey signed is judged by the program, offline, from the file that the resident keeps.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { Person, ServicePage, startBrowser } from './person.mjs';
import { BINARY, World } from './world.mjs';

const SCRIPT = { script: '/assets/passkey.js' };
let browser;
let world;
let folder;

before(async () => {
  browser = await startBrowser();
  folder = await mkdtemp(join(tmpdir(), 'omadata-passkey-'));
});

after(async () => {
  await browser?.close();
  if (folder) await rm(folder, { recursive: true });
});

/** The devices that a person has at hand: a built-in one and a security key. */
class Devices {
  static async of(person) {
    const devices = new Devices();
    devices.tools = await person.context.newCDPSession(person.page);
    await devices.tools.send('WebAuthn.enable');
    devices.builtIn = await devices.#add('internal');
    devices.key = await devices.#add('usb');
    await devices.useOnly(devices.builtIn);
    return devices;
  }

  async #add(transport) {
    const { authenticatorId } = await this.tools.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2', transport, hasResidentKey: true, hasUserVerification: true, isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    });
    return authenticatorId;
  }

  /** The person touches this device and no other. */
  async useOnly(chosen) {
    for (const authenticatorId of [this.builtIn, this.key]) {
      await this.tools.send('WebAuthn.setAutomaticPresenceSimulation', {
        authenticatorId, enabled: authenticatorId === chosen,
      });
    }
  }

  /** Whether the device recognises its owner. When not, the browser's dialog ends as if it were cancelled. */
  async recognise(authenticatorId, isUserVerified) {
    await this.tools.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified });
  }
}

/** Starts a permission for confidential data in the portal, by way of the stronger login that it asks for. */
async function startPermission(person) {
  const { page } = person;
  const { espoo, helsinki } = world.nodes;
  await page.goto(`${espoo.base_url}/login`);
  await person.logIn('aino');
  const use = new URL(`${espoo.base_url}/partners/use`);
  use.searchParams.set('id', `${helsinki.base_url}/catalogue/uses/early-education-support`);
  await page.goto(use.href);
  await page.locator('form:has(input[name="id"]) button').click();
  await person.logIn('aino');
  await page.waitForURL(/\/consent\/[^/]+$/);
  return page.url();
}

const allow = (page) => page.locator('button[name="decision"][value="allow"]').click();
const confirm = (page) => page.locator('form[data-passkey] button[type="submit"]').click();

async function add(person, name) {
  await person.page.locator('#label').fill(name);
  await confirm(person.page);
}

/** The permission's file, as the resident downloads it, and what the program finds in it. */
async function judge(person) {
  const { page } = person;
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.locator('a[href$="/bundle"]').click(),
  ]);
  const file = join(folder, `${person.name}.json`);
  await download.saveAs(file);
  const { stdout } = await promisify(execFile)(BINARY, ['consent', 'verify', '--bundle', file, '--json'])
    .catch((error) => error); // It ends with 3 where something cannot be told without the anchor's keys from elsewhere.
  return JSON.parse(stdout);
}

function story({ language, device }) {
  return async () => {
    const person = await Person.at(browser, world, { language, device, name: `passkey-${language}-${device}` });
    const { page } = person;
    const { espoo } = world.nodes;
    const devices = await Devices.of(person);

    // Without a passkey nothing is allowed, and the page leads to where one is added.
    const decision = await startPermission(person);
    await person.look('decision-without');
    await allow(page);
    await page.locator('a[href^="/me/passkeys/new"]').waitFor();
    await person.look('refused-without');
    await page.goto(`${espoo.base_url}/me/sharing`);
    assert.equal(await page.locator('a[href$="/stop"]').count(), 0, 'nothing was given');
    await page.goto(decision);
    await page.locator('a[href^="/me/passkeys/new"]').click();

    // The browser's dialog is cancelled: nothing is added. Then it is added, and the way leads back to the decision.
    await page.locator('#label').waitFor();
    await person.look('new', SCRIPT);
    await devices.recognise(devices.builtIn, false);
    await add(person, 'Laptop');
    await page.locator('#passkey-failed').waitFor({ state: 'visible' });
    await person.look('new-cancelled', SCRIPT);
    await devices.recognise(devices.builtIn, true);
    await add(person, 'Laptop');
    await page.waitForURL(decision);
    await person.look('decision');

    // The same device again is told so; a second device is added.
    await page.goto(`${espoo.base_url}/me/passkeys/new`);
    await add(person, 'Laptop once more');
    await page.locator('#passkey-known').waitFor({ state: 'visible' });
    await person.look('new-known', SCRIPT);
    await devices.useOnly(devices.key);
    await add(person, 'Blue ring');
    await page.waitForURL(/notice=added/);
    await person.look('two');

    // The signature is cancelled: nothing is given. The second passkey signs.
    await page.goto(decision);
    await allow(page);
    await page.waitForURL(/\/passkey$/);
    await person.look('confirm', SCRIPT);
    await devices.recognise(devices.key, false);
    await confirm(page);
    await page.locator('#passkey-failed').waitFor({ state: 'visible' });
    await person.look('confirm-cancelled', SCRIPT);
    await devices.recognise(devices.key, true);
    await confirm(page);
    await page.waitForURL(/\/done$/);
    await person.look('decided');

    // The permission says so, and its file proves it by itself.
    await page.goto(decision.replace('/consent/', '/me/sharing/'));
    await person.look('permission');
    const { findings } = await judge(person);
    assert.deepEqual(findings.filter(({ verdict }) => verdict === 'fail'), []);
    const { verdict, text } = findings.find(({ subject }) => subject === 'evidence');
    assert.equal(verdict, 'pass');
    assert.match(text, /passkey/);

    // Removing the one that signed leaves the permission as it is, and the other passkey.
    await page.goto(`${espoo.base_url}/me/passkeys`);
    await page.locator('.card', { hasText: 'Blue ring' }).locator('button').click();
    await page.waitForURL(/notice=removed/);
    await person.look('one-removed');
    assert.match(await page.locator('main').innerText(), /Laptop/);
    await page.goto(decision.replace('/consent/', '/me/sharing/'));
    assert.deepEqual(
      (await judge(person)).findings.filter(({ subject }) => subject === 'evidence'),
      findings.filter(({ subject }) => subject === 'evidence'),
      'its evidence stays',
    );
    await person.stop(espoo.base_url);
    await page.goto(`${espoo.base_url}/me/passkeys`);
    await page.locator('form[action$="/remove"] button').click();
    await page.waitForURL(/notice=removed/);
    await person.look('none');
    await person.leave();
  };
}

/** A city's service asks for what a passkey must confirm: the browser comes back to the service. */
async function serviceAsks() {
  const person = await Person.at(browser, world, { language: 'en', device: 'desktop', name: 'passkey-service' });
  const { page } = person;
  await Devices.of(person);
  const service = new ServicePage(person);
  await service.ask({ asking: 'helsinki', holding: 'espoo', resident: 'aino', dataset: 'assistance' });
  await person.logIn('aino');
  await person.logIn('aino');
  await page.waitForURL(/\/consent\/[^/]+$/);
  await page.locator('a[href^="/me/passkeys/new"]').click();
  await add(person, 'Laptop');
  await page.waitForURL(/\/consent\/[^/]+$/);
  await allow(page);
  await page.waitForURL(/\/passkey$/);
  await confirm(page);
  await page.waitForURL((url) => url.origin === world.servicePage);
  const { rows } = await service.fetch();
  assert.ok(rows?.length, 'data came');
  await page.goto(`${world.nodes.espoo.base_url}/me/passkeys`);
  await page.locator('form[action$="/remove"] button').click();
  await page.waitForURL(/notice=removed/);
  await person.leave();
}

/** A browser that runs no script says what is missing, offers no button that does nothing, and leaves a way on. */
function withoutScript({ language, device }) {
  return async () => {
    const name = `passkey-no-script-${language}-${device}`;
    const person = await Person.at(browser, world, { language, device, javaScript: false, name });
    const { page } = person;
    const decision = await startPermission(person);
    await page.locator('a[href^="/me/passkeys/new"]').click();
    await page.locator('#label').waitFor();
    await person.look('new', SCRIPT);
    await page.locator('#passkey-needs-script').waitFor({ state: 'visible' });
    assert.match(await page.locator('#passkey-needs-script').innerText(), /JavaScript/);
    assert.equal(await page.locator('form[data-passkey] button[type="submit"]').isVisible(), false);
    // No is said without any passkey.
    await page.goto(decision);
    await page.locator('button[name="decision"][value="deny"]').click();
    await page.waitForURL(/\/done$/);
    await person.look('declined');
    await person.leave();
  };
}

describe('passkeys', () => {
  before(async () => {
    world = await World.start({ name: 'passkey' });
  });
  after(async () => {
    await world?.stop();
  });
  for (const [language, device] of [['en', 'desktop'], ['fi', 'phone'], ['sv', 'phone']]) {
    test(`added, demanded, cancelled, signed, removed (${language}, ${device})`, story({ language, device }));
  }
  test('a service asks for what a passkey must confirm', serviceAsks);
  for (const [language, device] of [['fi', 'desktop'], ['sv', 'phone'], ['en', 'phone']]) {
    test(`JavaScript off (${language}, ${device})`, withoutScript({ language, device }));
  }
});
