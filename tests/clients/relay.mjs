// Relay: the compiler accepts the documents of `relay/`, and its runtime pages, refetches through `node` and keeps one
// normalized store over queries and mutations.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

import { TOKEN, URL as address } from "./server.mjs";

const folder = fileURLToPath(new URL(".", import.meta.url));
rmSync(`${folder}/generated/relay`, { recursive: true, force: true });
mkdirSync(`${folder}/generated/relay`, { recursive: true });
// What the compiler writes for itself to load is CommonJS.
writeFileSync(`${folder}/generated/relay/package.json`, '{"type": "commonjs"}');
const compiler = ["node_modules/relay-compiler/cli.js", "relay.config.json"];
execFileSync(process.execPath, compiler, { cwd: folder, stdio: "inherit" });

const require = createRequire(import.meta.url);
const relay = require("relay-runtime");
const document = (name) => require(`./generated/relay/documents${name}.graphql.js`);

/** The operations that were sent. */
const sent = [];
const network = relay.Network.create(async ({ name, text }, variables) => {
  sent.push(name);
  const headers = { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" };
  const body = JSON.stringify({ query: text, operationName: name, variables });
  const response = await fetch(address, { method: "POST", headers, body });
  return response.json();
});
const environment = new relay.Environment({ network, store: new relay.Store(new relay.RecordSource()) });

/** Asks the server. */
const load = (name, variables) => relay.fetchQuery(environment, document(name), variables).toPromise();
/** What the store holds for an operation. */
const inStore = (name, variables) => {
  const operation = relay.createOperationDescriptor(document(name), variables);
  environment.retain(operation);
  assert.equal(environment.check(operation).status, "available", `the store has all of ${name}`);
  return environment.lookup(operation.fragment).data;
};
/** What the store holds for a fragment. */
const fragment = (name, reference) => {
  const { data, isMissingData } = environment.lookup(relay.getSelector(document(name), reference));
  assert.equal(isMissingData, false);
  return data;
};
const mutate = (name, variables) =>
  new Promise((resolve, reject) => {
    const onCompleted = (answer, errors) => (errors ? reject(errors) : resolve(answer));
    relay.commitMutation(environment, { mutation: document(name), variables, onCompleted, onError: reject });
  });

// The list: a first page, and the next one joined to it in the store.
const search = "ivy";
const all = await load("ListQuery", {});
const { tenant } = inStore("ListQuery", {});
assert.equal(tenant.id, all.tenant.id);
const page = () => fragment("Page", inStore("ListQuery", {}).tenant).virtualExtensions;
const numbers = () => page().edges.map(({ node }) => node.number);
assert.equal(page().edges.length, 2);
const { endCursor, hasNextPage } = page().pageInfo;
assert.ok(hasNextPage && page().totalCount > 4);
await load("PageQuery", { id: tenant.id, count: 2, cursor: endCursor });
const four = numbers();
assert.deepEqual([four.length, new Set(four).size, [...four].sort()], [4, 4, four], "two pages, in order");

// The same connection with other arguments is another list.
await load("ListQuery", { search });
const found = fragment("Page", inStore("ListQuery", { search }).tenant).virtualExtensions.edges;
const ivy = found.find(({ node }) => node.number === "108").node;
assert.deepEqual(numbers(), four);

// One of its objects, asked for by its id alone and with more fields.
const form = () => fragment("Form", inStore("FormQuery", { id: ivy.id, withNote: true }).node);
await load("FormQuery", { id: ivy.id, withNote: true });
assert.equal(form().name, "Ivy Morgan");
assert.ok(form().information.members.length > 0);
const { version } = form();

// What a mutation answers changes the object wherever it is shown.
const note = { id: ivy.id, expectedVersion: version, note: { department: "Relay" } };
const saved = await mutate("NoteMutation", { input: note });
assert.deepEqual(saved.virtualExtensionNoteUpdate.userErrors, []);
assert.deepEqual([form().note.department, form().version], ["Relay", version + 1]);
assert.equal(fragment("Form", ivy).version, version + 1, "in the list, too");

// What is made is appended to the list, and what is deleted leaves it.
const connections = [relay.ConnectionHandler.getConnectionID(tenant.id, "documentsPage_virtualExtensions", {})];
const input = { information: { number: "151", name: "Relay" } };
const { virtualExtensionCreate: created } = await mutate("CreateMutation", { input, connections });
assert.deepEqual(created.userErrors, []);
assert.deepEqual(numbers(), [...four, "151"]);
const { id } = created.object;
const { objectDelete: deleted } = await mutate("DeleteMutation", { input: { id }, connections });
assert.deepEqual([deleted.deletedId, deleted.userErrors], [id, []]);
assert.deepEqual(numbers(), four);
const { node } = await load("FormQuery", { id, withNote: false });
assert.equal(node, null, "what is gone is nobody");

console.log(`Relay compiled its documents and ran ${sent.length} operations`);
