// Headless Chromium as every test here starts it, and what a test says at its end.
import { chromium } from 'playwright-core';

export const STEP_MS = 30_000;

/** Runs a test in a browser; ends the process with 1 when it throws or notes a problem. */
export async function inChromium(test, problems = []) {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
  let said;
  try {
    said = await test(browser);
  } catch (error) {
    problems.push(error.message);
  } finally {
    await browser.close();
  }
  if (problems.length > 0) {
    console.error(problems.join('\n'));
    process.exit(1);
  }
  console.log(`ok ${said}`);
}

export function check(holds, otherwise) {
  if (!holds) {
    throw new Error(otherwise);
  }
}
