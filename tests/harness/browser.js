// Drives Chromium through a list of visits, read as JSON from standard input:
//   {program, host_rules, visits: [{url, width, language, script, fill: {selector: text}, submit: selector,
//                                   keys: count, axe: bool, screenshot: path}]}
// Prints one result a visit: {url, status, title, text, shown, violations, complaints, focus, overflows, requests}.
// A visit with script: false runs without JavaScript, and has nothing of what JavaScript finds out. complaints are the console's and blocked requests.
const fs = require('fs');
const puppeteer = require('puppeteer-core');
const axe = fs.readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

async function judge(page) {
  await page.evaluate(axe);
  const found = await page.evaluate(tags => axe.run(document, {runOnly: {type: 'tag', values: tags}}), TAGS);
  return found.violations.map(v => ({id: v.id, impact: v.impact, nodes: v.nodes.map(n => n.html)}));
}

// What has the focus after each press of Tab.
async function tab(page, count) {
  const order = [];
  for (let i = 0; i < count; i++) {
    await page.keyboard.press('Tab');
    order.push(await page.evaluate(() => {
      const at = document.activeElement;
      const style = getComputedStyle(at);
      return {what: at.id || at.getAttribute('href') || at.textContent.trim(),
              visible: style.outlineStyle !== 'none' || at.classList.contains('skip')};
    }));
  }
  return order;
}

async function visit(browser, wanted) {
  const page = await browser.newPage();
  const result = {url: wanted.url, complaints: [], requests: []};
  page.on('console', message => result.complaints.push(message.text()));
  page.on('pageerror', error => result.complaints.push(String(error)));
  page.on('request', request => result.requests.push(request.url()));
  page.on('requestfailed', request => result.complaints.push(`failed: ${request.url()}`));
  await page.setViewport({width: wanted.width || 1280, height: 900});
  if (wanted.script === false) await page.setJavaScriptEnabled(false);
  if (wanted.language) await page.setExtraHTTPHeaders({'Accept-Language': wanted.language});
  let response = await page.goto(wanted.url, {waitUntil: 'load'});
  for (const [selector, text] of Object.entries(wanted.fill || {})) await page.type(selector, text);
  if (wanted.submit) {
    [response] = await Promise.all([page.waitForNavigation({waitUntil: 'load'}), page.click(wanted.submit)]);
  }
  result.status = response.status();
  result.at = page.url();
  result.title = await page.title();
  result.text = await page.$eval('body', body => body.textContent);
  if (wanted.script !== false) {
    result.shown = await page.evaluate(() => document.body.innerText);
    result.overflows = await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);
    if (wanted.keys) result.focus = await tab(page, wanted.keys);
    if (wanted.axe) result.violations = await judge(page);
  }
  if (wanted.screenshot) await page.screenshot({path: wanted.screenshot, fullPage: true});
  await page.close();
  return result;
}

(async () => {
  const plan = JSON.parse(fs.readFileSync(0, 'utf8'));
  const browser = await puppeteer.launch({
    executablePath: plan.program, headless: true,
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu', `--host-resolver-rules=${plan.host_rules}`]});
  try {
    const results = [];
    for (const wanted of plan.visits) results.push(await visit(browser, wanted));
    console.log(JSON.stringify(results));
  } finally {
    await browser.close();
  }
})().catch(error => { console.error(error); process.exit(1); });
