// What every page must be, checked in the browser that shows it: WCAG 2.2 points that a program can judge.

/**
 * Faults of the page as it stands, one line each; empty when there are none.
 *
 * @param {import('playwright-core').Page} page
 * @param {{language: string, script?: string}} expected
 *   `script` is the path of the one script that the page may have.
 */
export async function inspectPage(page, { language, script }) {
  return page.evaluate(({ language: wanted, script: allowed }) => {
    const faults = [];
    const shown = (element) => {
      const box = element.getBoundingClientRect();
      return box.width > 0 && box.height > 0 && getComputedStyle(element).visibility !== 'hidden';
    };
    const describe = (element) => element.outerHTML.slice(0, 160);

    const lang = document.documentElement.lang;
    if (lang.split('-')[0] !== wanted) faults.push(`lang is "${lang}", not ${wanted}`);
    if (!document.title.trim()) faults.push('no title');
    const headings = [...document.querySelectorAll('h1, h2, h3, h4, h5, h6')].filter(shown);
    const first = headings.filter((heading) => heading.tagName === 'H1');
    if (first.length !== 1) faults.push(`${first.length} h1`);
    headings.reduce((before, heading) => {
      const level = Number(heading.tagName[1]);
      if (level > before + 1) faults.push(`heading level jumps from ${before} to ${level}: ${heading.textContent.trim()}`);
      return level;
    }, 0);
    if (document.querySelectorAll('main').length !== 1) faults.push('not exactly one main');

    for (const control of document.querySelectorAll('input:not([type="hidden"]), select, textarea')) {
      const named = control.labels?.length || control.getAttribute('aria-label') || control.getAttribute('aria-labelledby');
      if (!named) faults.push(`no label: ${describe(control)}`);
    }
    for (const control of document.querySelectorAll('button, a[href]')) {
      if (!shown(control)) continue;
      const named = control.textContent.trim() || control.getAttribute('aria-label')
        || control.querySelector('img[alt]:not([alt=""]), svg title');
      if (!named) faults.push(`no name: ${describe(control)}`);
      // 2.5.8: 24 × 24, except a link inside a sentence.
      const box = control.getBoundingClientRect();
      const inline = control.tagName === 'A' && getComputedStyle(control).display === 'inline';
      if (!inline && (box.width < 24 || box.height < 24)) faults.push(`smaller than 24 px: ${describe(control)}`);
    }
    for (const image of document.querySelectorAll('img:not([alt])')) faults.push(`no alt: ${describe(image)}`);
    for (const table of document.querySelectorAll('table')) {
      if (!table.querySelector('th')) faults.push(`no header cells: ${describe(table)}`);
    }
    const ids = [...document.querySelectorAll('[id]')].map((element) => element.id);
    for (const id of new Set(ids.filter((one, index) => ids.indexOf(one) !== index))) faults.push(`id twice: ${id}`);
    const scripts = [...document.querySelectorAll('script')].filter((one) => one.getAttribute('src') !== allowed);
    if (scripts.length) faults.push('a script');
    if (document.querySelector('[style], style')) faults.push('an inline style');
    // 1.4.10: no scrolling in two directions.
    const { scrollWidth, clientWidth } = document.documentElement;
    if (scrollWidth > clientWidth) faults.push(`wider than the screen: ${scrollWidth} > ${clientWidth}`);
    return faults;
  }, { language, script });
}

/**
 * Texts whose contrast with what stands behind them is too low (WCAG 2.2, 1.4.3), on the light and on the dark page.
 *
 * @param {import('playwright-core').Page} page
 */
export async function inspectContrast(page) {
  const faults = [];
  for (const colorScheme of ['dark', 'light']) {
    await page.emulateMedia({ colorScheme });
    for (const fault of await page.evaluate(lowContrast)) faults.push(`${colorScheme}: ${fault}`);
  }
  return faults;
}

function lowContrast() {
  const channels = (colour) => colour.match(/[\d.]+/g).map(Number);
  const light = (colour) => channels(colour).slice(0, 3)
    .map((part) => part / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
    .reduce((sum, part, index) => sum + part * [0.2126, 0.7152, 0.0722][index], 0);
  const isClear = (colour) => (channels(colour)[3] ?? 1) === 0;
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const { backgroundColor } = getComputedStyle(at);
      if (!isClear(backgroundColor)) return backgroundColor;
    }
    return getComputedStyle(document.documentElement).colorScheme.startsWith('dark') ? 'rgb(18, 18, 18)' : 'rgb(255, 255, 255)';
  };
  const faults = new Set();
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    const box = element.getBoundingClientRect();
    if (!texts.currentNode.textContent.trim() || box.width <= 1 || box.height <= 1) continue;
    const { color, fontSize, fontWeight, visibility } = getComputedStyle(element);
    if (visibility === 'hidden' || element.closest(':disabled')) continue;
    const [one, other] = [light(color), light(behind(element))];
    const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    const isLarge = parseFloat(fontSize) >= 24 || (parseFloat(fontSize) >= 18.66 && Number(fontWeight) >= 700);
    if (ratio < (isLarge ? 3 : 4.5)) {
      faults.add(`contrast ${ratio.toFixed(2)}: ${color} on ${behind(element)}: ${element.outerHTML.slice(0, 120)}`);
    }
  }
  return [...faults];
}
