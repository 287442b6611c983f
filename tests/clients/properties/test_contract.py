"""The contract holds for a right answer, and each way to break it is found."""

import pytest
from graphql import build_schema, parse

from contract import Contract

SCHEMA = build_schema("""
    interface Node { id: ID! }
    enum Mode { ON OFF }
    scalar JSON
    type Phone implements Node { id: ID! mode: Mode! lines: [Int!]! was: JSON peer: Phone must: Phone! }
    type Query { node: Node phone: Phone! maybe: Phone }
""")
QUERY = """{
    node { __typename id ... on Phone { mode } }
    phone { __typename ...Lines peer { __typename must { __typename mode } } }
    __typename
} fragment Lines on Phone { all: lines was }"""
NODE = {"__typename": "Phone", "id": "1", "mode": "ON"}
PHONE = {"__typename": "Phone", "all": [1, 2], "was": [True, {"a": 1.5}], "peer": None}
DATA = {"node": NODE, "phone": PHONE, "__typename": "Query"}


def error(*path):
    return {"message": "No.", "locations": [{"line": 1, "column": 1}], "path": list(path)}


@pytest.mark.parametrize(
    "answer, breach",
    [
        ({"data": DATA}, None),
        ({"data": {**DATA, "node": None}}, None),
        ({"data": {**DATA, "phone": {**PHONE, "was": 1}}}, None),
        ({"data": {**DATA, "node": None}, "errors": [error("node", "mode")]}, None),
        ({"data": DATA, "errors": [error("phone", "peer", "must", "mode")]}, None),
        ({"data": None, "errors": [error("phone", "all", 0)]}, None),
        ({"errors": [{"message": "No."}]}, None),
        ([], "an answer is an object"),
        ({"data": DATA, "more": 1}, "an answer is an object"),
        ({"data": DATA, "errors": []}, "errors is not empty"),
        ({"data": None}, "data is null without an error"),
        ({"errors": [error("node")]}, "at no field"),
        ({"data": DATA, "errors": [{"message": "No."}]}, "names its field"),
        ({"data": {**DATA, "node": None}, "errors": [{**error("node"), "message": None}]}, "has a message"),
        ({"data": DATA, "errors": [error("node")]}, "has a value"),
        ({"data": DATA, "errors": [error("nobody")]}, "is not selected"),
        ({"data": None, "errors": [error("node")]}, "may be null"),
        ({"data": None, "errors": [error("phone", "peer", "must")]}, "may be null"),
        ({"data": {**DATA, "phone": None}}, "data.phone is null"),
        ({"data": {**DATA, "node": {**NODE, "mode": "HALF"}}}, "data.node.mode is no Mode"),
        ({"data": {**DATA, "node": {**NODE, "__typename": "Query"}}}, "data.node is no Node"),
        ({"data": {**DATA, "node": {"__typename": "Phone", "id": "1"}}}, "data.node has"),
        ({"data": {**DATA, "phone": {**PHONE, "all": 1}}}, "is no list"),
        ({"data": {**DATA, "phone": {**PHONE, "all": [1, None]}}}, "data.phone.all.1 is null"),
        ({"data": {**DATA, "phone": {**PHONE, "all": [1 << 31]}}}, "data.phone.all.0 is no Int"),
        ({"data": {"phone": PHONE, "node": NODE, "__typename": "Query"}}, "data has"),
    ],
)
def test_contract(answer, breach):
    found = list(Contract(SCHEMA, parse(QUERY)).breaches(answer))
    assert found == [] if breach is None else any(breach in one for one in found), found
