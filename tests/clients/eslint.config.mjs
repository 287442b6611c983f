// The rules of graphql-eslint for schemas, all of them but where they are at odds with how this API is made.

import graphql from "@graphql-eslint/eslint-plugin";

const { rules: recommended } = graphql.configs["flat/schema-recommended"];
const { rules: relay } = graphql.configs["flat/schema-relay"];

export default [
  {
    files: ["**/*.graphql"],
    languageOptions: { parser: graphql.parser },
    plugins: { "@graphql-eslint": graphql },
    rules: {
      ...recommended,
      ...relay,
      // What `node` finds has an id, and the interface Node demands it; a section, an edge or a payload is part of
      // something that has one.
      "@graphql-eslint/strict-id-in-types": "off",
      // A field is a column of the same name, and `type` and `order` are words of SQL; the rule also takes the
      // `phoneBooks` of a Phone for a prefix.
      "@graphql-eslint/no-typename-prefix": "off",
      // Pages are walked forwards; the specification asks for forward arguments, backward ones, or both.
      "@graphql-eslint/relay-arguments": ["error", { includeBoth: false }],
      // A list that is short by its nature, such as an extension's groups, is a plain list and no connection; and some
      // connections list what is said about objects (findings, references, offers) and has no id of its own.
      "@graphql-eslint/relay-edge-types": [
        "error",
        { withEdgeSuffix: true, shouldImplementNode: false, listTypeCanWrapOnlyEdgeType: false },
      ],
    },
  },
];
