"""
YAML text as plain values, with every duplicate key found and no surprise in a scalar; and back.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from typing import Any

import msgspec
import yaml

from gateway.config.problem import ConfigErrors, Problem

Tree = Any  # dict, list, str, int, float, bool or None
VALUES_MAX = 200_000  # in a document; aliases can make billions of a few lines


class _Loader(yaml.SafeLoader):
    """
    Scalars as in YAML 1.2: ``on``, ``yes`` and ``2026-11-25`` are text, ``1e-3`` is a number.

    YAML 1.1 would read ``enabled: on`` as true, ``010`` as 8, and a date as no text.
    """

    values = 0  # so far, aliases followed


_Loader.yaml_implicit_resolvers = {}  # not those that SafeLoader shares with everybody
for _tag, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", r"~|null|Null|NULL|", "~nN"),
    ("int", r"[-+]?[0-9]+", "-+0123456789"),
    ("float", r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?", "-+.0123456789"),
    ("merge", r"<<", "<"),
):
    _Loader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), [*_first, ""]
    )
_Loader.add_constructor("tag:yaml.org,2002:int", lambda loader, node: int(node.value))


def parse(text: str) -> tuple[Tree, list[Problem]]:
    """
    The value of a YAML document, None for an empty one, and the keys given twice, of which the
    last counts.

    Raises:
        ConfigErrors: not YAML, with line and column; or more than VALUES_MAX values.
    """
    problems: list[Problem] = []
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        return (None if node is None else _value(loader, node, "$", problems)), problems
    except yaml.MarkedYAMLError as error:
        raise ConfigErrors([_syntax(error)]) from None
    except (yaml.YAMLError, RecursionError) as error:
        raise ConfigErrors([Problem("$", f"not YAML: {_one_line(error)}")]) from None


def stated(struct: msgspec.Struct) -> dict[str, Any]:
    """The members of *struct* that differ from their defaults, as plain values."""
    found: dict[str, Any] = {}
    for field in msgspec.structs.fields(struct):
        value = getattr(struct, field.name)
        if field.required or value != field.default:
            plain = stated(value) if isinstance(value, msgspec.Struct) else value
            found[field.encode_name] = msgspec.to_builtins(plain)
    return {name: value for name, value in found.items() if value not in ({}, [], ())}


def yaml_text(value: object) -> str:
    """*value* as YAML, in its own order."""
    plain = msgspec.to_builtins(value)
    return str(yaml.safe_dump(plain, sort_keys=False, allow_unicode=True, width=100))


def _value(loader: _Loader, node: yaml.Node, path: str, problems: list[Problem]) -> Tree:
    loader.values += 1
    if loader.values > VALUES_MAX:
        raise ConfigErrors([Problem("$", f"more than {VALUES_MAX} values")])
    if isinstance(node, yaml.MappingNode):
        _find_duplicates(node, path, problems)
        loader.flatten_mapping(node)
        return {
            _key(key): _value(loader, value, child(path, _key(key)), problems)
            for key, value in node.value
        }
    if isinstance(node, yaml.SequenceNode):
        return [
            _value(loader, item, f"{path}[{index}]", problems)
            for index, item in enumerate(node.value)
        ]
    try:
        return loader.construct_object(node)
    except (ValueError, KeyError, AttributeError):  # an explicit tag, or a number beyond all bounds
        place = f"line {node.start_mark.line + 1}"
        raise ConfigErrors([Problem(path, f"{place}: no {node.tag.rpartition(':')[2]}")]) from None


def _find_duplicates(node: yaml.MappingNode, path: str, problems: list[Problem]) -> None:
    lines: dict[Hashable, int] = {}
    for key, _ in node.value:
        name, line = _key(key), key.start_mark.line + 1
        if name in lines and name != "<<":
            message = f"given twice, on lines {lines[name]} and {line}"
            problems.append(Problem(child(path, name), message))
        lines[name] = line


def child(path: str, name: str) -> str:
    """The path of the member *name*: ``$.a.b``, or ``$.a['b c']`` where a dot would mislead."""
    return f"{path}.{name}" if re.fullmatch(r"[\w-]+", name) else f"{path}['{name}']"


def _key(node: yaml.Node) -> str:
    return node.value if isinstance(node, yaml.ScalarNode) else "?"


def _syntax(error: yaml.MarkedYAMLError) -> Problem:
    mark = error.problem_mark or error.context_mark
    place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark is not None else ""
    words = ", ".join(part for part in (error.context, error.problem) if part)
    return Problem("$", f"not YAML: {place}{words}")


def _one_line(error: Exception) -> str:
    return "nested too deeply" if isinstance(error, RecursionError) else str(error).split("\n")[0]
