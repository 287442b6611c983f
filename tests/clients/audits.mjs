// GraphQL over HTTP: every audit of `graphql-http` is passed, those of MAY too.

import assert from "node:assert/strict";

import { serverAudits } from "graphql-http";

import { TOKEN, URL } from "./server.mjs";

// A GET needs a header that a forged request does not have; the token's is one.
const fetchFn = (address, options = {}) =>
  fetch(address, { ...options, headers: { authorization: `Bearer ${TOKEN}`, ...options.headers } });

const audits = serverAudits({ url: URL, fetchFn });
const results = await Promise.all(audits.map((audit) => audit.fn()));
for (const { status, id, name, reason } of results.filter(({ status }) => status !== "ok")) {
  console.error(`${status} ${id}: ${name}: ${reason}`);
}
const passed = results.filter(({ status }) => status === "ok").length;
assert.deepEqual([passed, audits.length], [61, 61]);
console.log(`${passed} of ${audits.length} audits pass`);
