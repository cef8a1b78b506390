"""Tests of gateway.simulated.instance."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.simulated.instance import instance_of

TYPES = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
    "object": dict,
    "array": list,
}


def made(schema: object) -> object:
    """The instance of a schema."""
    return instance_of(json.dumps(schema).encode())


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({}, "simulated"),
        (True, "simulated"),
        ({"type": "string"}, "simulated"),
        ({"type": "string", "minLength": 12}, "simulated simulated"),
        ({"type": "string", "maxLength": 3}, "sim"),
        ({"type": "string", "enum": ["b", "a"]}, "b"),
        ({"const": {"a": 1}}, {"a": 1}),
        ({"type": "integer"}, 1),
        ({"type": "integer", "minimum": 5}, 5),
        ({"type": "integer", "exclusiveMinimum": 5}, 6),
        ({"type": "integer", "maximum": -3}, -3),
        ({"type": "integer", "exclusiveMaximum": 0}, -1),
        ({"type": "integer", "multipleOf": 7}, 7),
        ({"type": "integer", "minimum": 8, "multipleOf": 7}, 14),
        ({"type": "number", "maximum": 0.5}, 0.5),
        ({"type": "number", "exclusiveMinimum": 1}, 1.5),
        ({"type": "boolean"}, True),
        ({"type": "null"}, None),
        ({"type": ["null", "integer"]}, 1),
        ({"type": ["null"]}, None),
        ({"anyOf": [{"type": "null"}, {"type": "integer"}]}, 1),
        ({"anyOf": [{"type": "null"}]}, None),
        ({"oneOf": [{"type": "boolean"}], "description": "d"}, True),
        ({"type": "array"}, ["simulated"]),
        ({"type": "array", "items": {"type": "integer"}, "minItems": 2}, [1, 1]),
        ({"type": "array", "maxItems": 0}, []),
        ({"prefixItems": [{"const": 1}, {"const": 2}], "type": "array"}, [1, 2]),
        ({"items": {"type": "null"}}, [None]),
        ({"type": "object"}, {}),
        ({"properties": {"a": {"type": "integer"}, "b": {}}}, {"a": 1, "b": "simulated"}),
        ({"properties": {"a": {}, "b": {"type": "null"}}, "required": ["b"]}, {"b": None}),
        ({"type": "object", "required": ["x"]}, {"x": "simulated"}),
        (
            {
                "$defs": {"P": {"type": "object", "properties": {"n": {"type": "integer"}}}},
                "type": "array",
                "items": {"$ref": "#/$defs/P"},
            },
            [{"n": 1}],
        ),
        ({"$ref": "#/$defs/missing"}, "simulated"),
        ({"$ref": "https://example.org/other"}, "simulated"),
        (
            {
                "allOf": [
                    {"properties": {"a": {"type": "integer"}}, "required": ["a"]},
                    {"properties": {"b": {"type": "null"}}, "required": ["b"]},
                ]
            },
            {"a": 1, "b": None},
        ),
    ],
)
def test_instance(schema: object, value: object) -> None:
    """Each keyword has its smallest value; constants and first choices win."""
    assert made(schema) == value


@pytest.mark.parametrize(
    ("form", "pattern"),
    [
        ("date", r"\d{4}-\d\d-\d\d"),
        ("date-time", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"),
        ("email", r"\w+@[\w.]+"),
        ("uuid", r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
        ("unheard-of", "simulated"),
    ],
)
def test_formats(form: str, pattern: str) -> None:
    """A known format has a value of that form, however short it shall be."""
    assert re.fullmatch(pattern, str(made({"type": "string", "format": form})))


def test_recursive_schemas_end() -> None:
    """A schema that contains itself gives a value of some depth and no more."""
    tree = {"properties": {"next": {"$ref": "#"}, "all": {"type": "array", "items": {"$ref": "#"}}}}
    endless = {"properties": {"next": {"$ref": "#"}}, "required": ["next"]}

    assert made(tree)["next"]
    assert len(json.dumps(made(tree))) < 10_000
    assert len(json.dumps(made(endless))) < 10_000
    assert made({"$ref": "#"}) == "simulated"
    assert made({"allOf": [{"$ref": "#"}]}) == "simulated"


@pytest.mark.parametrize(
    "schema",
    [
        {"allOf": [{"$ref": "#"}, {"$ref": "#"}]},
        {"properties": {n: {"$ref": "#"} for n in "abcd"}, "required": list("abcd")},
        {"type": "array", "items": {"$ref": "#"}, "minItems": 50},
    ],
)
def test_doubling_schemas_end(schema: object) -> None:
    """The work of one schema has a limit, however often it refers to itself."""
    assert len(json.dumps(made(schema))) < 100_000


@pytest.mark.parametrize("schema", [b"", b"{", b"[1]", b"5", b"\xff", b"[" * 100_000])
def test_what_is_no_schema_allows_everything(schema: bytes) -> None:
    """Bytes that are no schema get the smallest value there is."""
    assert instance_of(schema) == "simulated"


schemas = st.recursive(
    st.fixed_dictionaries({"type": st.sampled_from(sorted(TYPES))})
    | st.fixed_dictionaries({"enum": st.lists(st.integers() | st.text(max_size=3), min_size=1)}),
    lambda inner: (
        st.fixed_dictionaries(
            {
                "type": st.just("object"),
                "properties": st.dictionaries(st.text(max_size=3), inner, max_size=3),
                "required": st.lists(st.text(max_size=3), max_size=2),
            }
        )
        | st.fixed_dictionaries(
            {"type": st.just("array"), "items": inner, "minItems": st.integers(0, 3)}
        )
        | st.fixed_dictionaries({"anyOf": st.lists(inner, min_size=1, max_size=2)})
    ),
    max_leaves=8,
)


def satisfies(value: object, schema: dict[str, object]) -> bool:
    """Whether *value* is valid, said as plainly as possible."""
    if "enum" in schema:
        return value in schema["enum"]
    if "anyOf" in schema:
        return any(satisfies(value, option) for option in schema["anyOf"])
    if not isinstance(value, TYPES[schema["type"]]):
        return False
    if isinstance(value, dict) and "properties" in schema:
        known = schema["properties"]
        return set(schema["required"]) <= set(value) and all(
            satisfies(entry, known[name]) for name, entry in value.items() if name in known
        )
    if isinstance(value, list) and "items" in schema:
        return len(value) >= schema["minItems"] and all(
            satisfies(entry, schema["items"]) for entry in value
        )
    return True


@given(schemas)
def test_instances_satisfy_their_schemas(schema: dict[str, object]) -> None:
    """Whatever is combined, the instance is valid."""
    assert satisfies(made(schema), schema)


@given(
    st.dictionaries(
        st.sampled_from(
            ["type", "enum", "anyOf", "allOf", "$ref", "properties", "required", "items",
             "minItems", "minimum", "maximum", "multipleOf", "exclusiveMinimum", "minLength",
             "format"]
        ),
        st.sampled_from(
            [None, 1, -2.5, "x", "string", "number", [], ["x"], {}, {"x": {}}, "#", True, [{}]]
        ),
    )
)  # fmt: skip
def test_odd_schemas_give_some_value(schema: dict[str, object]) -> None:
    """A schema that makes no sense is not our error."""
    json.dumps(made(schema))
