// What clients rely on breaks only when the CHANGELOG says so: the SDL against that of the last release or, before there is
// one, of the commit that the CHANGELOG names.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { CriticalityLevel, diff } from "@graphql-inspector/core";
import { buildSchema } from "graphql";

const root = fileURLToPath(new URL("../..", import.meta.url));
const read = (name) => readFileSync(`${root}/${name}`, "utf8");

/** What stands in a changelog above the section of a version; all of it, when there is no such section. */
const above = (changelog, version) => changelog.split(new RegExp(`^## \\[?v?${version}\\b`, "m"))[0];

/**
 * The paths that a changelog announces: those between backticks that come right behind the word "Breaking:". A star in
 * one stands for any part of a name.
 */
const announcements = (changelog) =>
  [...changelog.matchAll(/Breaking:((?:[\s,]|and\b|`[^`]+`)+)/g)].flatMap(([, paths]) =>
    [...paths.matchAll(/`([^`]+)`/g)].map(([, path]) => path),
  );

/** The paths of a schema, in the words of graphql-inspector. */
const paths = (schema) =>
  Object.values(schema.getTypeMap()).flatMap((type) => {
    const values = (type.getValues?.() ?? []).map(({ name }) => `${type}.${name}`);
    const fields = Object.values(type.getFields?.() ?? {}).flatMap(({ name, args = [] }) => [
      `${type}.${name}`,
      ...args.map((argument) => `${type}.${name}.${argument.name}`),
    ]);
    return [type.name, ...values, ...fields];
  });

/** Where a changelog and what has broken differ: what it does not announce, and what it announces for nothing. */
async function differences(released, current, changelog) {
  const [before, after] = [released, current].map((sdl) => buildSchema(sdl));
  const changes = await diff(before, after);
  const breaking = changes.filter(({ criticality }) => criticality.level === CriticalityLevel.Breaking);
  const broken = new Set(breaking.map(({ path }) => path));
  const known = [...new Set([...paths(before), ...broken])];
  const announced = new Set();
  const whole = [];
  for (const path of announcements(changelog)) {
    const pattern = new RegExp(`^${path.replaceAll(".", "\\.").replaceAll("*", "\\w*")}$`);
    const meant = known.filter((one) => pattern.test(one));
    meant.forEach((one) => announced.add(one));
    whole.push(...(meant.length ? meant : [path]).filter((one) => !broken.has(one)));
  }
  const silent = breaking.filter(({ path }) => !announced.has(path));
  return [
    ...silent.map(({ path, message }) => `${path} is not announced: ${message}`),
    ...whole.map((path) => `${path} is announced, and does not break`),
  ];
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

// The check is shown to work by a release that had three fields more.
const gone = "\n\textension: Int\n\tspare: Int\n\tspareToo: Int\n";
const earlier = current.replace(/\ntype NumberAvailability {\n/, `$&${gone}`);
assert.notEqual(earlier, current);
const name = (field) => `NumberAvailability.${field}`;
const announced = `- Breaking: \`${name("extension")}\` is gone; \`${name("holder")}\` has it.`;
for (const [changelog, expected] of [
  ["## Unreleased\n- A field less.", ["extension", "spare", "spareToo"]],
  [`## Unreleased\n${announced}`, ["spare", "spareToo"]],
  [`## [1.1.0]\n${announced}\n## [1.0.0]\n`, ["spare", "spareToo"]],
  [`## Unreleased\n## 1.0.0\n${announced}`, ["extension", "spare", "spareToo"]],
  [`- Breaking: \`${name("extension")}\`,\n  \`${name("spare")}\` and \`${name("spareToo")}\` are gone.`, []],
  [`- Breaking: \`${name("ex*")}\` and \`${name("spare*")}\` are gone.`, []],
  [`- Breaking: \`${name("extension")}\`, \`${name("*e")}\``, ["spareToo", "available", "message"]],
  [`- Breaking: \`${name("extension")}\`, \`${name("spare*")}\`, \`${name("nothing")}\``, ["nothing"]],
]) {
  const said = await differences(earlier, current, above(changelog, "1.0.0"));
  assert.deepEqual(said.map((line) => line.split(" ")[0]).sort(), expected.map(name).sort(), changelog);
}
assert.deepEqual(await differences(current, earlier, ""), [], "a field more breaks nobody");

const changelog = read("CHANGELOG.md");
const tag = git("describe", "--tags", "--abbrev=0");
const since = tag ? above(changelog, tag.replace(/^v/, "")) : changelog;
const base = tag ?? /since commit `([0-9a-f]{7,40})`/.exec(since)?.[1];
const released = base && git("show", `${base}:schema.graphql`);
if (released === undefined) {
  console.log(`skipped: git has no schema.graphql of ${base ?? "a release"} to compare with`);
} else {
  assert.deepEqual(await differences(released, current, since), []);
  console.log(`what has broken since ${base} is what the CHANGELOG announces`);
}
