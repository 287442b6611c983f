// Apollo Client: its cache pages, keeps one object over queries and mutations by type and id, and tells what a save
// refuses (data) from what the server refuses (errors).

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

import { ApolloClient, ApolloLink, CombinedGraphQLErrors, gql, HttpLink, InMemoryCache } from "@apollo/client/core";
import { ErrorLink } from "@apollo/client/link/error";
import { relayStylePagination } from "@apollo/client/utilities";
import { buildSchema } from "graphql";
import { filter, firstValueFrom, map, timeout } from "rxjs";

import { TOKEN, URL as address } from "./server.mjs";

const schema = buildSchema(readFileSync(new URL("../../schema.graphql", import.meta.url), "utf8"));
const possible = (name) => schema.getPossibleTypes(schema.getType(name)).map((type) => type.name);

/** The requests as they were sent, and the errors as the link saw them. */
const [sent, seen] = [[], []];
const recording = (input, options) => {
  sent.push({ method: options.method, url: new URL(input) });
  return fetch(input, options);
};

/** A client; queries go with GET when it is told so. */
function client(token, useGETForQueries = false) {
  const errors = new ErrorLink(({ error }) => void seen.push(error));
  const headers = { authorization: `Bearer ${token}` };
  const http = new HttpLink({ uri: address, headers, fetch: recording, useGETForQueries });
  const cache = new InMemoryCache({
    typePolicies: { Tenant: { fields: { virtualExtensions: relayStylePagination(["search"]) } } },
    possibleTypes: { Node: possible("Node"), PbxObject: possible("PbxObject") },
  });
  return new ApolloClient({ cache, link: ApolloLink.from([errors, http]) });
}

const apollo = client(TOKEN);

// Pages of a connection are joined in the cache.
const LIST = gql`
  query List($first: Int!, $after: String, $search: String) {
    tenant {
      id
      virtualExtensions(first: $first, after: $after, search: $search) {
        totalCount
        edges {
          cursor
          node {
            id
            number
            name
            version
            note {
              department
            }
          }
        }
        pageInfo {
          hasNextPage
          endCursor
        }
      }
    }
  }
`;
const list = apollo.watchQuery({ query: LIST, variables: { first: 2 } });
/** What the list shows when it has come to show what fits. */
const shown = (fits) => {
  const pages = list.pipe(map(({ data }) => data?.tenant?.virtualExtensions));
  return firstValueFrom(pages.pipe(filter((page) => page && fits(page)), timeout(10_000)));
};
const watching = list.subscribe(() => {});
const { pageInfo, totalCount } = await shown(({ edges }) => edges.length === 2);
await list.fetchMore({ variables: { after: pageInfo.endCursor } });
const { edges } = await shown(({ edges }) => edges.length === 4);
assert.equal(new Set(edges.map(({ node }) => node.number)).size, 4);

// A mutation changes what the list shows, by type and id.
const { node } = edges[0];
const NOTE = gql`
  mutation Note($input: VirtualExtensionNoteUpdateInput!) {
    virtualExtensionNoteUpdate(input: $input) {
      object {
        id
        version
        note {
          department
        }
      }
      userErrors {
        path
        code
      }
    }
  }
`;
const input = { id: node.id, expectedVersion: node.version, note: { department: "Apollo" } };
const save = async () => {
  const { data } = await apollo.mutate({ mutation: NOTE, variables: { input } });
  return data.virtualExtensionNoteUpdate;
};
assert.deepEqual((await save()).userErrors, []);
const [again] = (await shown(({ edges }) => edges[0].node.version > node.version)).edges;
assert.deepEqual([again.node.note.department, again.node.name], ["Apollo", node.name]);

// What a save refuses is data, and the object is as it was.
assert.deepEqual((await save()).userErrors.map(({ code }) => code)[0], "CONFLICT");
assert.deepEqual(seen, []);

// What the cache holds is not asked for again.
const FORM = gql`
  query Form($id: ID!) {
    node(id: $id) {
      id
      ... on VirtualExtension {
        number
        additionalDestinations {
          onBusy {
            number
            object {
              id
              ... on PbxObject {
                name
              }
            }
          }
        }
      }
    }
  }
`;
const before = sent.length;
const form = { query: FORM, variables: { id: node.id } };
const first = await apollo.query(form);
assert.equal(first.data.node.number, node.number);
assert.deepEqual((await apollo.query(form)).data, first.data);
assert.equal(sent.length, before + 1);
watching.unsubscribe();

// What the server refuses is an error with a code; so is a wrong token.
const field = apollo.query({ query: gql("{ tenant { nothing } }") });
await assert.rejects(field, (error) => CombinedGraphQLErrors.is(error));
const stranger = client("wrong").query({ query: LIST, variables: { first: 1 } });
await assert.rejects(stranger, (error) => error.errors[0].extensions.code === "UNAUTHENTICATED");
assert.equal(seen.length, 2);

// Queries with GET, mutations still with POST.
const getting = client(TOKEN, true);
sent.length = 0;
const { data } = await getting.query({ query: LIST, variables: { first: 1, search: "ivy" } });
assert.ok(data.tenant.virtualExtensions.totalCount > 0);
const dry = { input: { id: node.id, dryRun: true, note: { branch: "Rome" } } };
await getting.mutate({ mutation: NOTE, variables: dry });
const ways = sent.map(({ method, url }) => [method, url.searchParams.has("query")]);
assert.deepEqual(ways, [["GET", true], ["POST", false]]);

console.log(`Apollo Client: ${edges.length} of ${totalCount} extensions in one list, and one object in all of it`);
