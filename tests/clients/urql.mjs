// urql: queries with GET, mutations with POST, and a document cache that a mutation makes ask again.

import assert from "node:assert/strict";

import { cacheExchange, Client, fetchExchange, gql } from "@urql/core";

import { TOKEN, URL as address } from "./server.mjs";

/** The methods of the requests that were sent. */
const sent = [];
const client = (token) =>
  new Client({
    url: address,
    exchanges: [cacheExchange, fetchExchange],
    preferGetMethod: "within-url-limit",
    fetchOptions: () => ({ headers: { authorization: `Bearer ${token}` } }),
    fetch: (input, options) => {
      sent.push(options.method);
      return fetch(input, options);
    },
  });
const urql = client(TOKEN);

const FORM = gql`
  query Form($by: ObjectBy!) {
    tenant {
      virtualExtension(by: $by) {
        id
        version
        name
        ...Note
      }
    }
  }
  fragment Note on VirtualExtension {
    note {
      department
    }
  }
`;
const read = async () => {
  const { data, error } = await urql.query(FORM, { by: { number: "108" } });
  assert.equal(error, undefined);
  return data.tenant.virtualExtension;
};
const form = await read();
assert.equal(form.name, "Ivy Morgan");
assert.deepEqual(await read(), form);
assert.deepEqual(sent, ["GET"], "the second answer is the cache's");

const NOTE = gql`
  mutation Note($input: VirtualExtensionNoteUpdateInput!) {
    virtualExtensionNoteUpdate(input: $input) {
      object {
        id
        version
      }
      userErrors {
        code
      }
    }
  }
`;
const save = async () => {
  const input = { id: form.id, expectedVersion: form.version, note: { department: "urql" } };
  const { data, error } = await urql.mutation(NOTE, { input });
  assert.equal(error, undefined);
  return data.virtualExtensionNoteUpdate;
};
assert.deepEqual((await save()).userErrors, []);
const saved = await read();
assert.deepEqual([saved.version, saved.note.department], [form.version + 1, "urql"]);
assert.deepEqual(sent, ["GET", "POST", "GET"], "what the mutation has answered is asked for again");
// What a save refuses is data.
assert.equal((await save()).userErrors[0].code, "CONFLICT");

// A query too long for an address goes with POST.
sent.length = 0;
const long = await urql.query(FORM, { by: { name: "x".repeat(3000) } });
assert.deepEqual([sent, long.data.tenant.virtualExtension], [["POST"], null]);

// What the server refuses is an error with a code.
const stranger = await client("wrong").query(FORM, { by: { number: "108" } });
assert.deepEqual(
  [stranger.data, stranger.error.graphQLErrors.map(({ extensions }) => extensions.code)],
  [undefined, ["UNAUTHENTICATED"]],
);
console.log("urql read, saved and read again");
