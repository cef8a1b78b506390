"""A rule as a form and back: what most rules say has fields of its own, the rest is YAML."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from gateway.admin.forms import Form
from gateway.config.decode import mistakes
from gateway.config.problem import ConfigErrors
from gateway.config.schema import Condition, Rule, Target
from gateway.config.yaml_tree import parse, stated, yaml_text
from gateway.core.errors import InvalidRequest

FIELDS_OF_THEIR_OWN = ("task_types", "tiers")
BOUNDS = {"gt": "above", "lt": "below"}
S = TypeVar("S")


def rule_of(form: Form) -> Rule:
    """The rule of *form*. Raises InvalidRequest for what no rule can be."""
    priority = form.number("priority")
    rest = read_yaml(form.text("conditions"), "Conditions", Condition)
    twice = [name for name in FIELDS_OF_THEIR_OWN if getattr(rest, name)]
    if twice:
        raise InvalidRequest(f"Choose {' and '.join(twice)} in the fields above the conditions.")
    when = {name: form.every(name) for name in FIELDS_OF_THEIR_OWN}
    then = {
        "model": form.text("model") or None,
        "provider": form.text("provider") or None,
        "mode": form.text("mode") or None,
        "best_within_usd": form.number("best_within_usd"),
        "keep": form.flag("keep"),
        "own_key": form.flag("own_key"),
    }
    fields = {
        "id": form.need("id"),
        "then": then,
        "when": {**stated(rest), **when},
        "reason": form.text("reason"),
        "priority": 0 if priority is None else int(priority),
    }
    return converted(fields, "The rule", Rule)


def rules_of(text: str) -> tuple[Rule, ...]:
    """The rules of a YAML list. Raises InvalidRequest."""
    return read_yaml(text, "Rules", tuple[Rule, ...]) if text.strip() else ()


def conditions_text(when: Condition) -> str:
    """*when* as YAML, but for what has fields of its own."""
    members = stated(when)
    for name in FIELDS_OF_THEIR_OWN:
        members.pop(name, None)
    return yaml_text(members) if members else ""


def rules_text(rules: tuple[Rule, ...]) -> str:
    """*rules* as YAML, without what is not stated."""
    return yaml_text([stated(rule) for rule in rules]) if rules else ""


def told_conditions(when: Condition) -> str:
    """*when* in one line for a person, "always" for an empty one."""
    members = stated(when)
    parts = [f"{name.replace('_', ' ')}: {told_value(value)}" for name, value in members.items()]
    return "; ".join(parts) or "always"


def told_value(value: Any) -> str:
    """What a condition asks for, for a person."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{BOUNDS.get(name, name)} {one}" for name, one in value.items())
    return " or ".join(value) if isinstance(value, list | tuple) else str(value)


def told_target(then: Target) -> str:
    """*then* in one line for a person."""
    parts = []
    if then.model is not None:
        parts.append(f"{then.model} at {then.provider}" if then.provider else then.model)
    elif then.provider is not None:
        parts.append(f"any model at {then.provider}")
    if then.mode is not None:
        parts.append(f"by mode {then.mode}")
    if then.best_within_usd is not None:
        parts.append(f"the best within {then.best_within_usd:g} USD")
    if then.keep:
        parts.append("the client's own model")
    if then.own_key:
        parts.append("with an own key only")
    return ", ".join(parts)


def read_yaml(text: str, what: str, shape: type[S]) -> S:
    """YAML or JSON as *shape*; nothing at all is an empty one. Raises InvalidRequest."""
    try:
        tree, problems = parse(text)
    except ConfigErrors as errors:
        raise InvalidRequest(f"{what}: {errors.problems[0].message}") from None
    if problems:
        raise InvalidRequest(f"{what}: {problems[0].path}: {problems[0].message}")
    return converted({} if tree is None else tree, what, shape)


def converted(tree: object, what: str, shape: type[S]) -> S:
    """*tree* as *shape*. Raises InvalidRequest."""
    try:
        return msgspec.convert(tree, shape)
    except (msgspec.ValidationError, RecursionError) as error:
        found = [] if isinstance(error, RecursionError) else mistakes(tree, shape)
        told = "; ".join(f"{one.path}: {one.message}" for one in found)
        raise InvalidRequest(f"{what}: {told or error}") from None
