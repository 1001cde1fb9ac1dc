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
