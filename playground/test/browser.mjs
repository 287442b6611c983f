// Drives the playground in headless Chromium: node test/browser.mjs <base-url> [screenshot.png]
import { check, inChromium, STEP_MS } from './chromium.mjs';

const [baseUrl, screenshot] = process.argv.slice(2);
if (!baseUrl) {
  console.error('usage: node test/browser.mjs <base-url> [screenshot.png]');
  process.exit(2);
}
const { origin } = new URL(baseUrl);

const requests = [];
const problems = [];
let wrongToken = false;

await inChromium(async (browser) => {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  context.setDefaultTimeout(STEP_MS);
  // The context reports the requests and messages of pages and of workers.
  context.on('request', (request) => record(request.url()));
  context.on('console', (message) => {
    const isRefusal = wrongToken && message.location().url === `${origin}/graphql`;
    // Monaco only warns when a worker does not start, and then runs it on the page.
    if (['error', 'warning'].includes(message.type()) && !isRefusal) {
      problems.push(`console ${message.type()}: ${message.text()}`);
    }
  });
  context.on('weberror', (error) => problems.push(`uncaught: ${error.error().stack}`));
  const page = await context.newPage();
  page.on('websocket', (socket) => record(socket.url()));
  await page.exposeFunction('reportViolation', (text) => problems.push(`content security policy: ${text}`));
  await page.addInitScript(() =>
    document.addEventListener('securitypolicyviolation', (event) =>
      window.reportViolation(`${event.violatedDirective} refused ${event.blockedURI}`),
    ),
  );
  await run(page);
  return `${requests.length} requests`;
}, problems);

function record(url) {
  requests.push(url);
  const { protocol, host } = new URL(url);
  if (!['data:', 'blob:'].includes(protocol) && host !== new URL(origin).host) {
    problems.push(`request to another host: ${url}`);
  }
}

async function run(page) {
  await page.goto(`${origin}/playground/`);
  const editor = page.locator('.graphiql-query-editor');
  await editor.getByText('query Information').waitFor();

  const token = page.getByLabel('Token', { exact: true });
  const { demoToken } = await (await page.request.get(`${origin}/playground/config.json`)).json();
  check((await token.inputValue()) === demoToken && demoToken, 'the token field does not hold the demo token');
  const hint = page.getByRole('alert').filter({ hasText: 'token' });
  check((await hint.count()) === 0, 'the demo token is refused');

  await page.getByRole('button', { name: /^Note/ }).click();
  // GraphiQL reads the operation's name from the new text after a moment; the mark comes with it.
  await page.getByRole('button', { name: /^Note/ }).and(page.locator('[aria-current=true]')).waitFor();
  await page.keyboard.press('Control+Enter');
  const answer = page.locator('.result-window');
  await answer.getByText('Ivy Morgan').waitFor();
  await answer.getByText('additionalInfo').waitFor();
  if (screenshot) {
    await page.screenshot({ path: screenshot });
  }

  // A subscription goes on until it is stopped.
  await page.getByRole('button', { name: /^Follow changes/ }).click();
  await page.getByRole('button', { name: /^Follow changes/ }).and(page.locator('[aria-current=true]')).waitFor();
  await page.keyboard.press('Control+Enter');
  await answer.getByText('UPDATED').waitFor();
  if (screenshot) {
    await page.screenshot({ path: screenshot.replace(/(?=\.png$)/, '-subscription') });
  }
  await page.getByRole('button', { name: /^Stop/ }).click();

  await page.getByRole('button', { name: 'Show Documentation Explorer' }).click();
  const docs = page.locator('.graphiql-doc-explorer');
  await docs.getByRole('link').first().click();
  await docs.getByText('tenant').first().waitFor();
  await page.getByRole('button', { name: 'Show GraphiQL Explorer' }).click();
  await page.locator('.graphiql-explorer-root').getByText('virtualExtension').first().waitFor();

  wrongToken = true;
  await token.fill('wrong');
  await token.press('Enter');
  await hint.waitFor();
  check((await token.getAttribute('aria-invalid')) === 'true', 'the token field is not marked as wrong');
  await page.getByRole('button', { name: 'Use the demo token' }).click();
  await hint.waitFor({ state: 'hidden' });
}
