// Debian's Chromium clicks the whole story: phone and desktop, in the three languages, with the demo's login provider and
// with a certified one, with JavaScript switched off and on. Screenshots go to tests/artefacts/.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Person, ServicePage, startBrowser } from './person.mjs';
import { World } from './world.mjs';

let browser;

before(async () => {
  browser = await startBrowser();
});

after(async () => {
  await browser?.close();
});

function story(world, options) {
  return async () => {
    const person = await Person.at(browser, world(), options);
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
    const person = await Person.at(browser, world(), options);
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
    for (const [language, device, javaScript] of journeys) {
      const title = `${language}, ${device}, JavaScript ${javaScript ? 'on' : 'off'}`;
      const options = { language, device, javaScript };
      test(`a service asks (${title})`, story(() => world, { ...options, name: `asks-${language}-${device}` }));
      test(`the resident starts (${title})`, residentStarts(() => world, { ...options, name: `starts-${language}-${device}` }));
    }
  });
}
