// What a resident does in a node's portal, over plain HTTP: the names of the forms are the portal's contract with those
// who automate it (tests, screen readers' macros), so they are asserted by being used.

import { describe } from './visitor.mjs';

/** Logs a resident in at whatever provider the city sent the browser to. */
export async function logIn(visitor, username) {
  const { page } = visitor;
  return visitor.submit(page.formWith('resident', username), {}, ['resident', username]);
}

/** Logs in at a city's own front page. */
export async function logInAt(visitor, city, username) {
  await visitor.open(`${city}/login`);
  return logIn(visitor, username);
}

/** What the consent page offers, and the decision. */
export async function decide(visitor, decision, { fields = [], until, times } = {}) {
  const { page } = visitor;
  const form = page.formWith('decision', decision);
  const values = { field: fields };
  // Whose data is for the resident to choose: everybody's, here.
  const persons = form.querySelectorAll('[name="person"]').map((box) => box.getAttribute('value'));
  if (decision === 'allow' && persons.length) values.person = persons;
  if (until || times) {
    Object.assign(values, { duration: 'until', ...(until && { until }), ...(times && { times: String(times) }) });
  } else if (form.querySelector('[name="duration"]')) {
    values.duration = 'once';
  }
  return visitor.submit(form, values, ['decision', decision]);
}

/** Takes back all that the resident has refused: a service may ask again. */
export async function letThemAsk(visitor, city) {
  await visitor.open(`${city}/me/denials`);
  const removal = () => visitor.page.forms.find((form) => /\/remove$/.test(form.getAttribute('action') ?? ''));
  while (removal()) await visitor.submit(removal());
}

/** From `/me`: one click on "stop", one on the confirmation. Fails where it takes more. */
export async function stopFromOverview(visitor, city) {
  await visitor.open(`${city}/me`);
  const question = await visitor.open(visitor.page.link(/\/me\/sharing\/[^/]+\/stop$/));
  const form = question.forms.find((candidate) => /\/stop$/.test(
    new URL(candidate.getAttribute('action') ?? '', question.url).pathname,
  ) && candidate.getAttribute('method')?.toLowerCase() === 'post');
  if (!form) throw new Error(`no stop form on ${describe(question)}`);
  return visitor.submit(form);
}

/** Starts a permission for a declared use from the portal (the resident's own initiative). */
export async function startPermission(visitor, city, useId) {
  const url = new URL(`${city}/partners/use`);
  url.searchParams.set('id', useId);
  const page = await visitor.open(url);
  return visitor.submit(page.formWith('id', useId));
}
