// A member that shares no line with the node, as operators and residents see it: when it is fine, and when its own word is
// spoilt, with whose side that is.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { declaredUse } from './recipient.mjs';
import { Visitor } from './visitor.mjs';
import { World } from './world.mjs';

// A chain is fetched anew after half of its age at the latest; some more for a busy machine.
const NOTICED_WITHIN = 60_000;
let world;
let recipient;
let espoo;

before(async () => {
  world = await World.start({
    name: 'foreign-partners',
    recipient: {
      uses: (id) => [declaredUse(id, 'placements', { datasetType: 'early-education-placements', required: ['unit'] })],
    },
  });
  recipient = world.recipient;
  espoo = world.nodes.espoo.base_url;
});

after(async () => {
  await world?.stop();
});

/** What `omadata peers test` says about the foreign member. */
async function examined() {
  const { code, printed, complained } = await world.command('espoo', 'peers', 'test', recipient.entityId, '--json');
  return { code, report: JSON.parse(printed || `"${complained}"`) };
}

/** Its section of `/partners`, in English. */
async function section() {
  const visitor = new Visitor({ language: 'en' });
  const page = await visitor.open(`${espoo}/partners`);
  const sections = page.document.querySelectorAll('section').map((one) => one.textContent.replace(/\s+/g, ' '));
  // A member whose own word cannot be used has no name either, and goes by its address.
  const host = new URL(recipient.entityId).hostname;
  const own = sections.find((text) => text.includes('Visiting city') || text.includes(host));
  assert.ok(own, sections.join('\n'));
  return own;
}

async function until(check) {
  for (const limit = Date.now() + NOTICED_WITHIN; ;) {
    const text = await section();
    if (check(text)) return text;
    assert.ok(Date.now() < limit, text);
    await pause(1000);
  }
}

test('a member that is fine: its chain, its mark, its keys', async () => {
  const { code, report } = await examined();
  assert.equal(code, 0, JSON.stringify(report));
  assert.deepEqual([report.verdict, report.listed], ['pass', true]);
  assert.deepEqual(report.member.roles, ['data-recipient']);
  assert.deepEqual(report.member.superiors, [world.anchor]);
  assert.deepEqual(report.member.keys.federation, [recipient.keys.federation.kid]);
  assert.deepEqual(report.member.keys.client, [recipient.keys.client.kid]);
  assert.equal(report.member.marks[0].role, 'data-recipient');
  const text = await until((shown) => shown.includes('Verified member'));
  assert.match(text, /asks for data and fetches it/);
  assert.match(text, /Visiting use placements/);
  assert.ok(text.includes(recipient.keys.federation.kid), 'its key, for whoever wants to check');
});

const SPOILT = {
  expired: ['configuration', 'unfit', 'its time is over'],
  'another key': ['chain', 'unfit', 'signed with a key that nobody vouches for'],
  compressed: ['configuration', 'unfit', 'compressed'],
  failing: ['configuration', 'silent', 'the other side failed'],
};

for (const [how, [step, fault, said]] of Object.entries(SPOILT)) {
  test(`the operator is told that its side is broken: ${how}`, async () => {
    recipient.spoilt = how;
    try {
      const { code, report } = await examined();
      assert.notEqual(code, 0);
      assert.deepEqual([report.verdict, report.listed, report.member], ['fail', true, null]);
      const faults = report.findings.filter(({ verdict }) => verdict === 'fail');
      assert.deepEqual(
        faults.map((found) => [found.step, found.side, found.fault, found.about, found.said]),
        [[step, 'peer', fault, recipient.entityId, said]],
      );
      assert.ok(faults[0].remedy, 'and what is to be done');
    } finally {
      recipient.spoilt = undefined;
    }
  });
}

test('the resident reads whose side is broken, and that it is mended', async () => {
  recipient.spoilt = 'another key';
  const broken = await until((shown) => shown.includes('Not available right now'));
  assert.match(broken, /The fault is on the member’s side\. An answer comes, but its signatures could not be verified\./);
  recipient.spoilt = undefined;
  await until((shown) => shown.includes('Verified member'));
  // A member that does not answer for a while is as good as before until its chain expires.
  recipient.spoilt = 'failing';
  await pause(35_000);
  assert.match(await section(), /Verified member/);
  recipient.spoilt = undefined;
});
