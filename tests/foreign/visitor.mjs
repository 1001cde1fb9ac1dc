// A resident's browser without the browser: cookies, redirects, links and forms, and the request headers that a browser
// adds by itself (Origin, Sec-Fetch-*). It runs no script, which is also how the portal must work.

import http from 'node:http';
import https from 'node:https';
import './loopback.mjs';
import { parse } from 'node-html-parser';
import { CookieJar } from 'tough-cookie';

const MAX_REDIRECTS = 20;

/** One page as received. */
export class Page {
  constructor({ url, status, headers, body }) {
    Object.assign(this, { url, status, headers, body });
    this.document = parse(/html/.test(headers['content-type'] ?? '') ? body : '', { comment: false });
  }

  /** What a person reads, without the markup. */
  get text() {
    return this.document.structuredText;
  }

  /** All forms, in the order of the page. */
  get forms() {
    return this.document.querySelectorAll('form');
  }

  /** The first form that has a control of that name and, where one is given, that value. */
  formWith(name, value) {
    const fits = (control) => control.getAttribute('name') === name
      && (value === undefined || control.getAttribute('value') === value);
    const form = this.forms.find((candidate) => controlsOf(this.document, candidate).some(fits));
    if (!form) throw new Error(`no form with ${name}${value === undefined ? '' : `=${value}`} on ${describe(this)}`);
    return form;
  }

  /** The first link or form address that fits a pattern, as an absolute URL. */
  link(pattern) {
    const link = this.document.querySelectorAll('a[href]').find((a) => pattern.test(a.getAttribute('href')));
    if (!link) throw new Error(`no link like ${pattern} on ${describe(this)}`);
    return new URL(link.getAttribute('href'), this.url);
  }
}

/** Status, path and heading: enough to see where a journey went wrong, and nothing of a person. */
export function describe(page) {
  const heading = page.document.querySelector('h1')?.text.trim() ?? page.body.slice(0, 200);
  return `${page.status} ${page.url.origin}${page.url.pathname} "${heading}"`;
}

function controlsOf(document, form) {
  const own = form.querySelectorAll('input, select, textarea, button');
  const id = form.getAttribute('id');
  const outside = id ? document.querySelectorAll(`[form="${id}"]`) : [];
  return [...new Set([...own, ...outside])].filter((control) => !control.hasAttribute('disabled'));
}

/** What a browser sends for a form as it stands, without any button. */
export function formData(document, form) {
  const data = new URLSearchParams();
  for (const control of controlsOf(document, form)) {
    const name = control.getAttribute('name');
    const type = (control.getAttribute('type') ?? '').toLowerCase();
    const tag = control.tagName.toLowerCase();
    if (!name || tag === 'button' || ['submit', 'button', 'reset', 'image', 'file'].includes(type)) continue;
    if (['checkbox', 'radio'].includes(type) && !control.hasAttribute('checked')) continue;
    if (tag === 'select') {
      const options = control.querySelectorAll('option');
      const chosen = options.find((option) => option.hasAttribute('selected')) ?? options[0];
      if (chosen) data.append(name, chosen.getAttribute('value') ?? chosen.text);
    } else {
      data.append(name, tag === 'textarea' ? control.text : control.getAttribute('value') ?? (type === 'checkbox' ? 'on' : ''));
    }
  }
  return data;
}

/** One person's browser. */
export class Visitor {
  constructor({ language = 'fi' } = {}) {
    this.language = language;
    this.jar = new CookieJar();
    this.page = undefined;
    this.visited = [];
  }

  /** Opens an address as if typed, or followed from the page before. */
  async open(url) {
    return this.#navigate('GET', new URL(url, this.page?.url));
  }

  /**
   * Sends a form. `values` replace the form's own (an array sends a name several times, null leaves it out);
   * `button` is the pressed button's name and value.
   */
  async submit(form, values = {}, button = undefined) {
    const data = formData(this.page.document, form);
    for (const [name, value] of Object.entries(values)) {
      data.delete(name);
      for (const one of value === null ? [] : [value].flat()) data.append(name, one);
    }
    if (button) data.append(...button);
    const action = new URL(form.getAttribute('action') ?? '', this.page.url);
    if ((form.getAttribute('method') ?? 'get').toLowerCase() === 'get') {
      action.search = data.toString();
      return this.#navigate('GET', action);
    }
    return this.#navigate('POST', action, data.toString());
  }

  async #navigate(method, url, body) {
    let [verb, target, content] = [method, url, body];
    const from = this.page?.url;
    let site = from ? relation(from, target) : 'none';
    for (let hop = 0; hop <= MAX_REDIRECTS; hop += 1) {
      const answer = await this.#request(verb, target, content, from, site);
      this.visited.push({ method: verb, url: target.href, status: answer.status });
      const location = answer.headers.location;
      if (answer.status < 300 || answer.status >= 400 || !location) {
        this.page = new Page({ url: target, ...answer });
        return this.page;
      }
      const next = new URL(location, target);
      if (site !== 'cross-site' && from) site = relation(target, next) === 'cross-site' ? 'cross-site' : site;
      if (![307, 308].includes(answer.status)) [verb, content] = ['GET', undefined];
      target = next;
    }
    throw new Error(`more than ${MAX_REDIRECTS} redirects from ${url.origin}${url.pathname}`);
  }

  async #request(method, url, body, from, site) {
    const headers = {
      Accept: 'text/html,application/xhtml+xml;q=0.9,*/*;q=0.8',
      'Accept-Language': `${this.language},en;q=0.5`,
      'Sec-Fetch-Dest': 'document',
      'Sec-Fetch-Mode': 'navigate',
      'Sec-Fetch-Site': site,
      'Sec-Fetch-User': '?1',
      'User-Agent': 'omadata-visitor',
    };
    const cookie = await this.jar.getCookieString(url.href);
    if (cookie) headers.Cookie = cookie;
    if (body !== undefined) {
      headers['Content-Type'] = 'application/x-www-form-urlencoded';
      headers['Content-Length'] = Buffer.byteLength(body);
      headers.Origin = from?.origin ?? 'null';
    }
    const answer = await send(method, url, headers, body);
    for (const line of answer.headers['set-cookie'] ?? []) await this.jar.setCookie(line, url.href);
    return answer;
  }
}

/** How a browser names the relation of two pages: hosts under .localhost are sites of their own. */
function relation(from, to) {
  if (from.origin === to.origin) return 'same-origin';
  return from.protocol === to.protocol && from.hostname === to.hostname ? 'same-site' : 'cross-site';
}

function send(method, url, headers, body) {
  return new Promise((resolve, reject) => {
    const request = (url.protocol === 'https:' ? https : http).request(url, { method, headers, timeout: 20_000, agent: false }, (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => resolve({
        status: response.statusCode,
        headers: response.headers,
        body: Buffer.concat(chunks).toString('utf8'),
      }));
    });
    request.on('timeout', () => request.destroy(new Error(`no answer from ${url.origin}${url.pathname} in 20 s`)));
    request.on('error', reject);
    request.end(body);
  });
}
