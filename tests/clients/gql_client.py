"""Python gql: the schema by introspection, queries written as Python, checked before they are sent, scalars parsed."""

import os
from datetime import datetime

from gql import Client, gql
from gql.dsl import DSLInlineFragment, DSLMutation, DSLQuery, DSLSchema, dsl_gql
from gql.transport.exceptions import TransportQueryError
from gql.transport.httpx import HTTPXTransport
from gql.utilities import update_schema_scalar
from graphql import GraphQLError, GraphQLScalarType

URL = os.environ.get("VEXT_TEST_URL", "http://127.0.0.1:8080/graphql")
TOKEN = os.environ.get("VEXT_TEST_TOKEN", "T")


def client(token):
    transport = HTTPXTransport(url=URL, headers={"authorization": f"Bearer {token}"})
    asked = {"input_value_deprecation": True, "specified_by_url": True, "input_object_one_of": True}
    return Client(transport=transport, fetch_schema_from_transport=True, introspection_args=asked, parse_results=True)


def refused(kind, attempt):
    """What an attempt is refused with."""
    try:
        attempt()
    except kind as error:
        return error
    raise AssertionError(f"not refused with {kind.__name__}")


with client(TOKEN) as session:
    schema = session.client.schema
    update_schema_scalar(schema, "DateTime", GraphQLScalarType("DateTime", parse_value=datetime.fromisoformat))
    make = DSLSchema(schema)

    # A query made of the schema's own fields; a moment is a moment.
    form = (
        make.VirtualExtension.id,
        make.VirtualExtension.name,
        make.VirtualExtension.version,
        make.VirtualExtension.changedAt,
        make.VirtualExtension.information.select(
            make.Information.inboundTimeoutSeconds, make.Information.members.select(make.Extension.number)
        ),
    )
    read = make.Query.tenant.select(make.Tenant.virtualExtension(by={"number": "108"}).select(*form))
    ivy = session.execute(dsl_gql(DSLQuery(read)))["tenant"]["virtualExtension"]
    assert ivy["name"] == "Ivy Morgan" and ivy["changedAt"].tzinfo is not None, ivy
    assert ivy["information"]["members"] and ivy["information"]["inboundTimeoutSeconds"] > 0, ivy

    # The same object by its id.
    note = DSLInlineFragment().on(make.VirtualExtension).select(make.VirtualExtension.note.select(make.Note.department))
    node = dsl_gql(DSLQuery(make.Query.node(id=ivy["id"]).select(note)))
    before = session.execute(node)["node"]["note"]["department"]

    # Names, types of values and values of enums are checked before anything is sent.
    assert "notes" in str(refused(AttributeError, lambda: make.VirtualExtension.notes))
    for query in (
        '{ tenant { virtualExtension(by: {numbers: "108"}) { name } } }',
        '{ tenant { virtualExtension(by: {number: "108", name: "Ivy Morgan"}) { name } } }',
        "{ tenantLint(severity: SEVERE) { totalCount } }",
    ):
        error = refused(GraphQLError, lambda: session.execute(gql(query)))
        assert not isinstance(error, TransportQueryError), error

    # A save, and one that is refused because of it.
    note = {"id": ivy["id"], "expectedVersion": ivy["version"], "note": {"department": f"{before} and gql"}}
    payload = make.VirtualExtensionPayload
    save = make.Mutation.virtualExtensionNoteUpdate(input=note).select(
        payload.object.select(make.VirtualExtension.version),
        payload.userErrors.select(make.UserError.code, make.UserError.path, make.UserError.message),
    )
    saved, stale = (
        session.execute(dsl_gql(DSLMutation(save)))["virtualExtensionNoteUpdate"] for _ in range(2)
    )
    assert saved == {"object": {"version": ivy["version"] + 1}, "userErrors": []}, saved
    assert stale["userErrors"][0]["code"] == "CONFLICT", stale
    assert session.execute(node)["node"]["note"]["department"] == f"{before} and gql"

# What the server refuses is an error with a code; without a schema nothing is checked before.
transport = HTTPXTransport(url=URL, headers={"authorization": "Bearer wrong"})
stranger = Client(transport=transport)
error = refused(TransportQueryError, lambda: stranger.execute(gql("{ tenant { code } }")))
assert error.errors[0]["extensions"]["code"] == "UNAUTHENTICATED", error.errors
unknown = Client(transport=HTTPXTransport(url=URL, headers={"authorization": f"Bearer {TOKEN}"}))
error = refused(TransportQueryError, lambda: unknown.execute(gql("{ tenant { nothing } }")))
assert error.errors[0]["locations"] and error.data is None, error.errors

print(f"gql read, saved and was told what is wrong, over {len(schema.type_map)} types")
