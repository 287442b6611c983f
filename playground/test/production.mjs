// A production server in headless Chromium: who sees the playground, and whose pages may use the API.
// node test/production.mjs <base-url> <port of pages> <token that may explore> <token that may not> [screenshot.png]
// The server allows the origin http://localhost:<port of pages>, and no other.
import { createServer } from 'node:http';
import { check, inChromium, STEP_MS } from './chromium.mjs';

const [baseUrl, port, explore, other, screenshot] = process.argv.slice(2);
if (!other) {
  console.error('usage: node test/production.mjs <base-url> <port of pages> <token> <other token> [screenshot.png]');
  process.exit(2);
}
const { origin } = new URL(baseUrl);

await inChromium(async (browser) => {
  await playground(browser);
  await pages(browser);
  return 'the playground signs in, and one origin is let in';
});

async function playground(browser) {
  for (const [password, status] of [[null, 401], [other, 401], ['wrong', 401]]) {
    const httpCredentials = password === null ? undefined : { username: 'any', password };
    const context = await browser.newContext({ httpCredentials });
    const page = await context.newPage();
    // Chromium shows its own error page where a challenge stays without an answer.
    const response = await page.goto(`${origin}/playground/`).catch((error) => error);
    const seen = response instanceof Error ? 401 : response.status();
    check(seen === status, `the playground answers ${seen} to the password ${password}`);
    check((await page.locator('.graphiql-query-editor').count()) === 0, 'the playground is shown without a token');
    await context.close();
  }
  const context = await browser.newContext({ httpCredentials: { username: 'any', password: explore } });
  context.setDefaultTimeout(STEP_MS);
  const page = await context.newPage();
  await page.goto(`${origin}/playground/`);
  await page.locator('.graphiql-query-editor').getByText('query Information').waitFor();
  // What opened the page opens no data: the token is asked for.
  const token = page.getByLabel('Token', { exact: true });
  check((await token.inputValue()) === '', 'the playground knows a token');
  await token.fill(explore);
  await token.press('Enter');
  await page.getByRole('button', { name: 'Show Documentation Explorer' }).click();
  await page.locator('.graphiql-doc-explorer').getByRole('link').first().waitFor();
  await page.locator('.graphiql-query-editor').click();
  await page.keyboard.press('Control+Enter');
  await page.locator('.result-window').getByText('Ivy Morgan').waitFor();
  if (screenshot) {
    await page.screenshot({ path: screenshot });
  }
  await context.close();
}

/** A page of another server, which has two names and so two origins. */
async function pages(browser) {
  const server = createServer((_, response) => {
    response.setHeader('content-type', 'text/html');
    response.end('<title>Panel</title>');
  });
  await new Promise((listening) => server.listen(Number(port), '127.0.0.1', listening));
  for (const [from, allowed] of [[`http://localhost:${port}`, true], [`http://127.0.0.1:${port}`, false]]) {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(from);
    const answer = await page.evaluate(ask, { url: `${origin}/graphql`, token: explore });
    check(
      allowed ? answer.code === 'CANISTRACCI' && answer.requestId : answer.refused,
      `a page of ${from} gets ${JSON.stringify(answer)}`,
    );
    await context.close();
  }
  server.closeAllConnections();
  server.close();
}

/** In the page. */
async function ask({ url, token }) {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify({ query: '{ tenant { code } }' }),
    });
    const { data } = await response.json();
    return { code: data.tenant.code, requestId: response.headers.get('x-request-id') };
  } catch (error) {
    return { refused: error.message };
  }
}
