// The SDL keeps the rules of graphql-eslint: schema-recommended and schema-relay.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { ESLint } from "eslint";

const root = fileURLToPath(new URL("../..", import.meta.url));
const schema = readFileSync(`${root}/schema.graphql`, "utf8");

/** What the rules say to an SDL. */
async function reports(sdl) {
  const languageOptions = { parserOptions: { graphQLConfig: { schema: sdl } } };
  const eslint = new ESLint({
    cwd: root,
    overrideConfigFile: `${root}/tests/clients/eslint.config.mjs`,
    overrideConfig: { files: ["**/*.graphql"], languageOptions },
  });
  const [{ messages }] = await eslint.lintText(sdl, { filePath: "schema.graphql" });
  return messages;
}

const said = await reports(schema);
assert.deepEqual(said.map(({ line, message, ruleId }) => `${line}: ${message} (${ruleId})`), []);

// Each rule set is shown to be at work by a schema that breaks it.
const broken = [
  ["naming-convention", (sdl) => sdl.replace("\tnumberAvailability(", "\tnumber_availability(")],
  ["require-description", (sdl) => sdl.replace(/"""[^"]*"""\ntype Tenant /, "type Tenant ")],
  ["no-unreachable-types", (sdl) => `${sdl}\n"""\nNobody's.\n"""\ntype Orphan {\n\tname: String!\n}\n`],
  ["relay-page-info", (sdl) => sdl.replace("\thasNextPage: Boolean!", "\thasNextPage: Boolean")],
  ["relay-edge-types", (sdl) => sdl.replace(/(type ExtensionEdge {[^}]*\t)cursor:/, "$1position:")],
];
for (const [rule, change] of broken) {
  const sdl = change(schema);
  const rules = (await reports(sdl)).map(({ ruleId }) => ruleId);
  assert.ok(sdl !== schema && rules.includes(`@graphql-eslint/${rule}`), `${rule} is found by ${rules}`);
}
console.log(`schema.graphql keeps the rules; ${broken.length} schemas that do not are found`);
