"""What every answer owes to the schema and to the request (GraphQL specification, sections 6 and 7)."""

from collections.abc import Iterator
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentSpreadNode,
    GraphQLSchema,
    GraphQLString,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
    is_abstract_type,
    is_composite_type,
    is_enum_type,
    is_list_type,
    is_non_null_type,
)

LEAVES = {"Int": int, "Float": (int, float), "Boolean": bool, "Seconds": int, "JSON": object}


class Contract:
    """The answers to one document; its selections name `__typename` everywhere."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode) -> None:
        self.schema = schema
        operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
        (self.operation,) = operations
        self.root = schema.get_root_type(self.operation.operation)
        self.fragments = {node.name.value: node for node in document.definitions if node not in operations}

    def breaches(self, answer: Any) -> Iterator[str]:
        """What an answer does wrong."""
        if not isinstance(answer, dict) or not answer.keys() <= {"data", "errors", "extensions"}:
            yield f"an answer is an object of data, errors and extensions: {answer}"
            return
        errors = answer.get("errors", [])
        if "errors" in answer and not errors:
            yield "errors is not empty when it is there"
        for error in errors:
            places = error.get("locations", [])
            if not isinstance(error.get("message"), str) or any(min(at["line"], at["column"]) < 1 for at in places):
                yield f"an error has a message, and its places begin at 1: {error}"
        if "data" not in answer:
            if not errors or any("path" in error for error in errors):
                yield "an answer without data has errors, and they are at no field"
            return
        top = [(self.root, self.operation)]
        if answer["data"] is None and not errors:
            yield "data is null without an error"
        elif answer["data"] is not None:
            yield from self.selected(top, self.root, answer["data"], "data")
        for error in errors:
            if "path" in error:
                yield from self.landing(top, answer["data"], error["path"])
            else:
                yield f"an error of execution names its field: {error}"

    def fields(self, parents, runtime) -> dict[str, list[tuple[Any, FieldNode]]]:
        """The fields that are selected of an object, by their keys, each with the type that it is selected on; of
        whatever type the object is, when `runtime` is unknown."""
        found: dict[str, list[tuple[Any, FieldNode]]] = {}

        def collect(static, selections: SelectionSetNode) -> None:
            for node in selections.selections:
                if isinstance(node, FieldNode):
                    found.setdefault((node.alias or node.name).value, []).append((static, node))
                    continue
                fragment = self.fragments[node.name.value] if isinstance(node, FragmentSpreadNode) else node
                condition = fragment.type_condition
                kind = self.schema.type_map[condition.name.value] if condition else static
                fits = is_abstract_type(kind) and runtime and self.schema.is_sub_type(kind, runtime)
                if runtime is None or kind == runtime or fits:
                    collect(kind, fragment.selection_set)

        for static, node in parents:
            collect(static, node.selection_set)
        return found

    @staticmethod
    def type_of(static, node: FieldNode):
        return GraphQLString if node.name.value == "__typename" else static.fields[node.name.value].type

    def selected(self, parents, runtime, value: dict, path: str) -> Iterator[str]:
        """An object has exactly the fields that are selected, in their order."""
        fields = self.fields(parents, runtime)
        if list(value) != list(fields):
            yield f"{path} has {list(value)} instead of {list(fields)}"
            return
        for key, chosen in fields.items():
            inner = [(get_named_type(self.type_of(*one)), one[1]) for one in chosen]
            yield from self.completed(self.type_of(*chosen[0]), inner, value[key], f"{path}.{key}")

    def completed(self, kind, parents, value: Any, path: str) -> Iterator[str]:
        """A value is one of its type."""
        if is_non_null_type(kind):
            if value is None:
                yield f"{path} is null, and its type is {kind}"
                return
            kind = kind.of_type
        if value is None:
            return
        if is_list_type(kind):
            if not isinstance(value, list):
                yield f"{path} is no list: {value}"
                return
            for index, entry in enumerate(value):
                yield from self.completed(kind.of_type, parents, entry, f"{path}.{index}")
        elif is_composite_type(kind):
            runtime = self.schema.type_map.get(value.get("__typename")) if isinstance(value, dict) else None
            if runtime is None or not (runtime == kind or self.schema.is_sub_type(kind, runtime)):
                yield f"{path} is no {kind}: {value}"
                return
            yield from self.selected(parents, runtime, value, path)
        elif is_enum_type(kind):
            if value not in kind.values:
                yield f"{path} is no {kind}: {value}"
        else:
            plain = LEAVES.get(kind.name, str)
            if not isinstance(value, plain) or (plain is int and (isinstance(value, bool) or abs(value) >= 1 << 31)):
                yield f"{path} is no {kind}: {value}"

    def landing(self, parents, value: Any, path: list) -> Iterator[str]:
        """The null of an error stands at its field, or else at the nearest field around it that may be null."""
        kind, runtime, nullable, values = self.root, self.root, [], [value]
        for step in path:
            if isinstance(step, int):
                kind = (kind.of_type if is_non_null_type(kind) else kind).of_type
            else:
                chosen = self.fields(parents, runtime).get(step)
                if chosen is None:
                    yield f"an error is at {path}, which is not selected"
                    return
                kind = self.type_of(*chosen[0])
                parents = [(get_named_type(self.type_of(*one)), one[1]) for one in chosen]
            value = None if value is None else value[step]
            runtime = self.schema.type_map.get(value.get("__typename")) if isinstance(value, dict) else None
            nullable.append(not is_non_null_type(kind))
            values.append(value)
        if value is not None:
            yield f"an error is at {path}, which has a value"
        elif any(nullable[values.index(None) :]):
            yield f"the error at {path} has nulled {path[: values.index(None)]}, though something behind it may be null"
