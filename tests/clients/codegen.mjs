// @graphql-codegen/cli: the schema and the documents of `codegen/` become types, a strict compiler accepts the program
// that uses them and the mistakes that it marks, and the program runs.

import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { generate } from "@graphql-codegen/cli";

import { TOKEN, URL as address } from "./server.mjs";

const folder = fileURLToPath(new URL(".", import.meta.url));
rmSync(`${folder}/generated/codegen`, { recursive: true, force: true });
rmSync(`${folder}/generated/program`, { recursive: true, force: true });

await generate({
  cwd: folder,
  schema: "../../schema.graphql",
  documents: "codegen/*.ts",
  silent: true,
  generates: {
    "generated/codegen/": {
      preset: "client",
      config: {
        documentMode: "string",
        emitLegacyCommonJSImports: false,
        useTypeImports: true,
        avoidOptionals: { field: true },
        // Every scalar of the schema is named here, or the generation fails.
        strictScalars: true,
        scalars: {
          CallerIdNumber: "string",
          DateTime: "string",
          DialNumber: "string",
          EmailAddress: "string",
          ExtensionNumber: "string",
          JSON: "unknown",
          KeypadKey: "string",
          MacAddress: "string",
          Pattern: "string",
          PhoneNumber: "string",
          Seconds: "number",
          TimeOfDay: "string",
        },
      },
    },
  },
});
execFileSync(process.execPath, ["node_modules/typescript/bin/tsc", "-p", "codegen"], { cwd: folder, stdio: "inherit" });
const { run } = await import("./generated/program/codegen/program.js");
await run(address, TOKEN);
console.log("the typed program was generated, compiled and run");
