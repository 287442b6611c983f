"""What schemathesis is told about this API: values of its scalars, ids that exist, and what every answer owes."""

import os
import zlib

import requests
import schemathesis
from graphql import (
    ArgumentNode,
    FieldNode,
    IntValueNode,
    ListValueNode,
    NameNode,
    NullValueNode,
    ObjectFieldNode,
    ObjectValueNode,
    SelectionSetNode,
    StringValueNode,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    build_client_schema,
    get_introspection_query,
    get_named_type,
    is_input_object_type,
    is_leaf_type,
    parse,
    print_ast,
    visit,
)
from hypothesis import strategies as st
from schemathesis.graphql import nodes

from contract import Contract

URL = os.environ["VEXT_TEST_URL"]
HEADERS = {"Authorization": f"Bearer {os.environ['VEXT_TEST_TOKEN']}"}

SCALARS = {
    "CallerIdNumber": ["061123456", "+39061123456"],
    "DateTime": ["2026-01-02T03:04:05Z", "2026-06-07T08:09:10.123+02:00"],
    "DialNumber": ["0612345678", "108", "*97"],
    "EmailAddress": ["ivy@example.com", "a.b+c@example.org"],
    "ExtensionNumber": ["108", "150", "9001"],
    "KeypadKey": ["1", "#"],
    "MacAddress": ["00:1b:44:11:3a:b7", "001B44113AB8"],
    "Pattern": ["^0[1-9]", "^00"],
    "PhoneNumber": ["+390612345678"],
    "TimeOfDay": ["08:30", "23:59"],
}
for name, values in SCALARS.items():
    schemathesis.graphql.scalar(name, st.sampled_from(values).map(nodes.String))
schemathesis.graphql.scalar("Seconds", st.integers(1, 600).map(nodes.Int))


def ask(query):
    answer = requests.post(URL, headers=HEADERS, json={"query": query}, timeout=30).json()
    assert "errors" not in answer, answer
    return answer["data"]


SCHEMA = build_client_schema(ask(get_introspection_query(specified_by_url=True, one_of=True)))
# The lists of a tenant by the name of what they list, as mutations begin with it: `queue`, `virtualExtension`.
LISTS = {
    kind[0].lower() + kind.removesuffix("Connection")[1:]: name
    for name, one in SCHEMA.type_map["Tenant"].fields.items()
    if (kind := get_named_type(one.type).name).endswith("Connection") and name not in ("lint", "options")
}
NODES = " ".join(f"{name} {{ nodes {{ id }} }}" for name in LISTS.values())
TENANTS = ask(f"{{ tenants {{ id code {NODES} }} }}")["tenants"]
CODES = [tenant["code"] for tenant in TENANTS]
IDS = {kind: [node["id"] for tenant in TENANTS for node in tenant[name]["nodes"]] for kind, name in LISTS.items()}
IDS = {kind: ids for kind, ids in IDS.items() if ids}
IDS["tenant"] = [tenant["id"] for tenant in TENANTS]
FIELDS = [field["path"] for field in ask("{ tenant { optionFields { path } } }")["tenant"]["optionFields"]]


def choice(options, value):
    """One of the options, always the same for a value."""
    return options[zlib.crc32(print_ast(value).encode()) % len(options)]


def text(value):
    return StringValueNode(value=value)


def field(name, selected=()):
    inner = SelectionSetNode(selections=tuple(field(one) for one in selected)) if selected else None
    return FieldNode(name=NameNode(value=name), arguments=(), directives=(), selection_set=inner)


def plain(kind):
    """The fields of a type that take no arguments, and what is selected of each: its own plain values."""
    fields = {name: one for name, one in getattr(kind, "fields", {}).items() if not one.args}
    leaves = [name for name, one in fields.items() if is_leaf_type(get_named_type(one.type))]
    return leaves, {name: get_named_type(one.type) for name, one in fields.items() if name not in leaves}


class Whole(Visitor):
    """Selects more than a little: every object says its type, which tells what it should have, and what a field leads
    to shows its plain values and those of what it is made of."""

    def __init__(self, info):
        super().__init__()
        self.info = info

    def leave_selection_set(self, node, key, parent, *_):
        more = [field("__typename")]
        # Types that stand side by side may each have a field of one name and of types that cannot be merged.
        if isinstance(parent, FieldNode):
            leaves, parts = plain(self.info.get_parent_type())
            more += [field(name) for name in leaves]
            more += [field(name, ["__typename", *plain(kind)[0]]) for name, kind in parts.items()]
        return SelectionSetNode(selections=(*node.selections, *more))


class Sensible(Visitor):
    """Makes what the types allow into what the descriptions allow: pages of 1 to 100, cursors that were answered,
    paths of fields that refer to objects, and ids and codes that exist."""

    def __init__(self, info):
        super().__init__()
        self.info = info
        self.operation = self.name = ""

    def enter_field(self, node, *_):
        self.operation = self.operation or node.name.value

    def leave_argument(self, node, *_):
        value = {
            "first": IntValueNode(value=choice("123", node.value)),
            "after": NullValueNode(),
            "for": ListValueNode(values=tuple(map(text, choice(FIELDS, node.value)))),
            "from": text("100"),
            "to": text("999"),
            "code": text(choice(CODES, node.value)),
            "search": text(choice(["ivy", "1", "no such words"], node.value)),
        }.get(node.name.value)
        return ArgumentNode(name=node.name, value=value) if value else None

    def leave_object_value(self, node, *_):
        kind = get_named_type(self.info.get_input_type())
        # A destination has one value, too; its description says so, not its type.
        if not is_input_object_type(kind) or not (kind.is_one_of or kind.name == "DestinationInput"):
            return None
        given = [one for one in node.fields if not isinstance(one.value, NullValueNode)][:1]
        if not given:
            name = next(name for name, one in kind.fields.items() if get_named_type(one.type).name == "ID")
            given = [ObjectFieldNode(name=NameNode(value=name), value=self.known(name, node))]
        return ObjectValueNode(fields=tuple(given))

    def enter_object_field(self, node, *_):
        self.name = node.name.value

    def enter_argument(self, node, *_):
        self.name = node.name.value

    def leave_object_field(self, node, *_):
        # A version or a plan is of the moment; without one, whatever is there is changed.
        changed = node.name.value in ("expectedVersion", "planToken")
        return ObjectFieldNode(name=node.name, value=NullValueNode()) if changed else None

    def leave_string_value(self, node, *_):
        return self.identifier(node)

    def leave_int_value(self, node, *_):
        return self.identifier(node)

    def identifier(self, node):
        kind = self.info.get_input_type()
        return self.known(self.name, node) if kind and get_named_type(kind).name == "ID" else None

    def known(self, name, node):
        """An id that exists, of the kind that the name of a field or of the operation tells, if it tells one."""
        stem = name.removesuffix("s").removesuffix("Id").lower()
        told = [kind for kind in IDS if stem.endswith(kind.lower())] or [
            kind for kind in IDS if stem in ("id", "replacement") and self.operation.startswith(kind)
        ]
        return text(choice(IDS[max(told, key=len)] if told else sum(IDS.values(), []), node))


@schemathesis.hook
def map_case(context, case):
    if case.meta.generation.mode.is_positive:
        document = parse(case.body)
        for visitor in [Whole, Sensible] if os.environ.get("VEXT_TEST_SENSIBLE") else [Whole]:
            info = TypeInfo(SCHEMA)
            document = visit(document, TypeInfoVisitor(info, visitor(info)))
        case.body = print_ast(document)
    return case


@schemathesis.check
def contract(context, response, case):
    """The answer has the shape that the schema and the request give it."""
    if case.meta.generation.mode.is_positive:
        breaches = list(Contract(SCHEMA, parse(case.body)).breaches(response.json()))
        assert not breaches, breaches
