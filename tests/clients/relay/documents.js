// What a page of Relay declares; the compiler makes it into `generated/relay`.

import { graphql } from "relay-runtime";

// A page of the list, refetched through the tenant's own id.
graphql`
  fragment documentsPage on Tenant
  @refetchable(queryName: "documentsPageQuery")
  @argumentDefinitions(
    count: { type: "Int", defaultValue: 2 }
    cursor: { type: "String" }
    search: { type: "String" }
  ) {
    virtualExtensions(first: $count, after: $cursor, search: $search)
      @connection(key: "documentsPage_virtualExtensions", filters: ["search"]) {
      totalCount
      edges {
        node {
          id
          number
          ...documentsForm
        }
      }
    }
  }
`;

// A form, refetched through `node` with more of it.
graphql`
  fragment documentsForm on VirtualExtension
  @refetchable(queryName: "documentsFormQuery")
  @argumentDefinitions(withNote: { type: "Boolean", defaultValue: false }) {
    name
    version
    information {
      members {
        name
      }
    }
    note @include(if: $withNote) {
      department
    }
  }
`;

graphql`
  query documentsListQuery($search: String) {
    tenant {
      id
      ...documentsPage @arguments(search: $search)
    }
  }
`;

graphql`
  mutation documentsNoteMutation($input: VirtualExtensionNoteUpdateInput!) {
    virtualExtensionNoteUpdate(input: $input) {
      object {
        version
        note {
          department
        }
      }
      userErrors {
        code
        message
      }
    }
  }
`;

graphql`
  mutation documentsCreateMutation($input: VirtualExtensionCreateInput!, $connections: [ID!]!) {
    virtualExtensionCreate(input: $input) {
      object @appendNode(connections: $connections, edgeTypeName: "VirtualExtensionEdge") {
        id
        number
        ...documentsForm
      }
      userErrors {
        code
        message
      }
    }
  }
`;

graphql`
  mutation documentsDeleteMutation($input: ObjectDeleteInput!, $connections: [ID!]!) {
    objectDelete(input: $input) {
      deletedId @deleteEdge(connections: $connections) @deleteRecord
      userErrors {
        code
        message
      }
    }
  }
`;
