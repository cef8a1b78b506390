"""Plain values into the typed configuration, with every mistake found and not only the first."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import inspect

from gateway.config.problem import ConfigErrors, Problem, hint
from gateway.config.schema import Config
from gateway.config.yaml_tree import Tree, child

SHAPE = inspect.type_info(Config)
SCALARS = (  # whose wrong values are shown
    inspect.BoolType, inspect.IntType, inspect.FloatType, inspect.LiteralType, inspect.EnumType,
)  # fmt: skip
LOST = object()
STEP = re.compile(r"\.([^.\[]+)|\[[^\]]*\]")  # of a path of msgspec
SHOWN_MAX = 40  # characters of a wrong value in a message


def decode(tree: Tree) -> Config:
    """
    The configuration that *tree* describes.

    A section without content, all of it commented out, is an empty one.

    Raises:
        ConfigErrors: every unknown key, missing member and wrong type; ``sound`` is what is right.
    """
    tree = _filled(tree, SHAPE)
    problems = list(_mistakes(tree, SHAPE, "$"))
    if problems:
        sound = _sound(tree, SHAPE)
        raise ConfigErrors(problems, None if sound is LOST else msgspec.convert(sound, Config))
    try:
        return msgspec.convert(tree, Config)
    except msgspec.ValidationError as error:  # a mistake that the walk has no words for
        raise ConfigErrors([Problem("$", str(error))]) from None


def _sound(value: Tree, shape: inspect.Type) -> Any:
    """
    *value* without its mistakes: unknown keys are left out, and wrong members that have a default.
    LOST when that is not enough: what is gone may be what other parts refer to.
    """
    shape = shape if value is None else _inner(shape)
    if isinstance(shape, inspect.StructType) and isinstance(value, dict):
        fields = {field.encode_name: field for field in shape.fields}
        kept = {n: _sound(item, fields[n].type) for n, item in value.items() if n in fields}
        lost = [n for n, item in kept.items() if item is LOST]
        missing = any(field.required and n not in kept for n, field in fields.items())
        if missing or any(fields[n].required or _named(fields[n].type) for n in lost):
            return LOST
        return {n: item for n, item in kept.items() if item is not LOST}
    if isinstance(shape, inspect.DictType) and isinstance(value, dict):
        items = {n: _sound(item, shape.value_type) for n, item in value.items()}
        keys = (_sound(name, shape.key_type) for name in items)
        return LOST if any(part is LOST for part in (*items.values(), *keys)) else items
    if isinstance(shape, inspect.VarTupleType) and isinstance(value, list):
        listed = [_sound(item, shape.item_type) for item in value]
        return LOST if any(item is LOST for item in listed) else listed
    return LOST if next(_mistakes(value, shape, "$"), None) else value


def _named(shape: inspect.Type) -> bool:
    """Whether a member of this shape holds what other parts may name."""
    holders = inspect.DictType | inspect.VarTupleType | inspect.StructType
    return isinstance(_inner(shape), holders)


def _inner(shape: inspect.Type) -> inspect.Type:
    """*shape* without "or nothing", and without what is said of it."""
    if isinstance(shape, inspect.Metadata):
        return _inner(shape.type)
    if not isinstance(shape, inspect.UnionType):
        return shape
    return _inner(next(kind for kind in shape.types if not isinstance(kind, inspect.NoneType)))


def mistake(value: Tree, shape: inspect.Type) -> str | None:
    """What is wrong with the plain *value*, None when nothing is."""
    return next((found.message for found in _mistakes(value, shape, "$")), None)


def mistakes(value: Tree, kind: Any) -> list[Problem]:
    """What keeps the plain *value* from being a *kind*, as far as the walk has words for it."""
    return list(_mistakes(value, inspect.type_info(kind), "$"))


def choices(kind: Any, path: str) -> str:
    """The values that *path* of a *kind* may have, such as ``up, down``; "" where it is no enum."""
    shape = inspect.type_info(kind)
    for name in STEP.findall(path):
        shape = _inner(shape)
        if isinstance(shape, inspect.StructType):
            found = next((one.type for one in shape.fields if one.encode_name == name), None)
        elif isinstance(shape, inspect.DictType):
            found = shape.value_type
        else:
            found = getattr(shape, "item_type", None)
        if found is None:
            return ""
        shape = found
    shape = _inner(shape)
    if not isinstance(shape, inspect.LiteralType | inspect.EnumType):
        return ""
    return _expected(shape).removeprefix("one of ")


def _filled(value: Tree, shape: inspect.Type) -> Tree:
    """*value* with an empty list or mapping for nothing, where one is expected."""
    if value is None:
        empty: Tree = [] if isinstance(shape, inspect.VarTupleType) else {}
        wanted = (inspect.VarTupleType, inspect.DictType, inspect.StructType)
        return empty if isinstance(shape, wanted) else None
    if isinstance(shape, inspect.StructType) and isinstance(value, dict):
        types = {field.encode_name: field.type for field in shape.fields}
        return {
            name: _filled(item, types[name]) if name in types else item
            for name, item in value.items()
        }
    if isinstance(shape, inspect.DictType) and isinstance(value, dict):
        return {name: _filled(item, shape.value_type) for name, item in value.items()}
    if isinstance(shape, inspect.VarTupleType) and isinstance(value, list):
        return [_filled(item, shape.item_type) for item in value]
    return value


def _mistakes(value: Tree, shape: inspect.Type, path: str) -> Iterator[Problem]:
    if isinstance(shape, inspect.UnionType) and value is None:
        return
    shape = _inner(shape)
    if isinstance(shape, inspect.StructType) and isinstance(value, dict):
        yield from _of_members(value, shape, path)
    elif isinstance(shape, inspect.DictType) and isinstance(value, dict):
        for name, item in value.items():
            yield from _mistakes(name, shape.key_type, child(path, name))
            yield from _mistakes(item, shape.value_type, child(path, name))
    elif isinstance(shape, inspect.VarTupleType) and isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _mistakes(item, shape.item_type, f"{path}[{index}]")
    elif not _fits(value, shape):
        yield Problem(path, f"expected {_expected(shape)}, got {_got(value, shape)}")


def _of_members(value: dict[str, Tree], shape: inspect.StructType, path: str) -> Iterator[Problem]:
    fields = {field.encode_name: field for field in shape.fields}
    for name, item in value.items():
        if name in fields:
            yield from _mistakes(item, fields[name].type, child(path, name))
        else:
            message = f"no setting is called '{name}' here{hint(name, fields)}"
            yield Problem(child(path, name), message)
    for name, field in fields.items():
        if field.required and name not in value:
            yield Problem(child(path, name), "required, but missing")


def _fits(value: Tree, shape: inspect.Type) -> bool:
    match shape:
        case inspect.StrType():
            return isinstance(value, str)
        case inspect.BoolType():
            return isinstance(value, bool)
        case inspect.IntType():
            return type(value) is int and _within(value, shape)
        case inspect.FloatType():
            return type(value) in (int, float) and _within(value, shape)
        case inspect.LiteralType():
            return value in shape.values
        case inspect.EnumType():
            return value in [member.value for member in shape.cls]
    return isinstance(shape, inspect.AnyType)


def _within(value: float, shape: inspect.IntType | inspect.FloatType) -> bool:
    return (
        (shape.ge is None or value >= shape.ge)
        and (shape.gt is None or value > shape.gt)
        and (shape.le is None or value <= shape.le)
        and (shape.lt is None or value < shape.lt)
    )


def _expected(shape: inspect.Type) -> str:
    match shape:
        case inspect.StrType():
            return "text"
        case inspect.BoolType():
            return "true or false"
        case inspect.IntType():
            return f"a whole number{_bounds(shape)}"
        case inspect.FloatType():
            return f"a number{_bounds(shape)}"
        case inspect.LiteralType():
            return "one of " + ", ".join(str(value) for value in shape.values if value != "")
        case inspect.EnumType():
            return "one of " + ", ".join(str(member.value) for member in shape.cls)
        case inspect.VarTupleType():
            return "a list"
    return "a mapping"


def _bounds(shape: inspect.IntType | inspect.FloatType) -> str:
    if shape.ge is not None and shape.le is not None:
        return f" from {shape.ge:g} to {shape.le:g}"
    if shape.gt is not None:
        return f" above {shape.gt:g}"
    return f" of at least {shape.ge:g}" if shape.ge is not None else ""


def _got(value: Tree, shape: inspect.Type) -> str:
    """
    A wrong value as shown. Only its kind is where it might be a secret: in the place of a text, or
    of something larger that holds texts.
    """
    kinds: dict[type[Any], str] = {
        bool: "a truth value", int: "a number", float: "a number",
        dict: "a mapping", list: "a list", tuple: "a list", str: "text", type(None): "nothing",
    }  # fmt: skip
    if not isinstance(shape, SCALARS) or isinstance(value, dict | list | tuple) or value is None:
        return kinds[type(value)]
    if isinstance(value, bool):
        return str(value).lower()
    text = f"'{value}'" if isinstance(value, str) else f"{value}"
    return text if len(text) <= SHOWN_MAX else kinds[type(value)]
