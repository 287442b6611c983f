// What clients rely on breaks only when the CHANGELOG says so: the SDL against that of the last release.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { CriticalityLevel, diff } from "@graphql-inspector/core";
import { buildSchema } from "graphql";

const root = fileURLToPath(new URL("../..", import.meta.url));
const read = (name) => readFileSync(`${root}/${name}`, "utf8");

/**
 * The breaking changes since a release that a changelog does not announce. It announces one above the section of that
 * release, with the path of what changes between backticks behind the word "Breaking:".
 */
async function unannounced(released, current, changelog, version) {
  const since = changelog.split(new RegExp(`^## \\[?v?${version}\\b`, "m"))[0];
  const lines = since.split("\n").filter((line) => line.includes("Breaking:"));
  const announced = new Set(lines.flatMap((line) => [...line.matchAll(/`([^`]+)`/g)].map(([, path]) => path)));
  const changes = await diff(buildSchema(released), buildSchema(current));
  const breaking = changes.filter(({ criticality }) => criticality.level === CriticalityLevel.Breaking);
  return breaking.filter(({ path }) => !announced.has(path)).map(({ path, message }) => `${path}: ${message}`);
}

/** What git says; nothing where it cannot. */
function git(...command) {
  try {
    const options = { cwd: root, encoding: "utf8", maxBuffer: 1 << 26, stdio: ["ignore", "pipe", "ignore"] };
    return execFileSync("git", command, options).trim();
  } catch {
    return undefined;
  }
}

const current = read("schema.graphql");

// The check is shown to work by a release that had two fields more.
const gone = "\n\textension: Int\n\tspare: Int\n";
const earlier = current.replace(/\ntype NumberAvailability {\n/, `$&${gone}`);
assert.notEqual(earlier, current);
const found = ["NumberAvailability.extension", "NumberAvailability.spare"];
const announced = "- Breaking: `NumberAvailability.extension` is gone.";
for (const [changelog, expected] of [
  ["## Unreleased\n- A field less.", found],
  [`## Unreleased\n${announced}`, [found[1]]],
  [`## [1.1.0]\n${announced}\n## [1.0.0]\n`, [found[1]]],
  [`## Unreleased\n## 1.0.0\n${announced}`, found],
]) {
  const said = await unannounced(earlier, current, changelog, "1.0.0");
  assert.deepEqual(said.map((line) => line.split(":")[0]), expected, changelog);
}
assert.deepEqual(await unannounced(current, earlier, "", "1.0.0"), [], "a field more breaks nobody");

const tag = git("describe", "--tags", "--abbrev=0");
const released = tag && git("show", `${tag}:schema.graphql`);
if (released === undefined) {
  console.log("nothing has been released: there is no tag with a schema.graphql to compare with");
} else {
  assert.deepEqual(await unannounced(released, current, read("CHANGELOG.md"), tag.replace(/^v/, "")), []);
  console.log(`nothing breaks without a word since ${tag}`);
}
