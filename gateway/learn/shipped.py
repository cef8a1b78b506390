"""The sets of rules and the traffic mixes that ship with the gateway, by name."""

from __future__ import annotations

import functools
from importlib import resources
from typing import Annotated

import msgspec
from msgspec import Meta

from gateway.config.problem import unknown
from gateway.config.schema import Rule, Tier
from gateway.config.section import Section, Share
from gateway.config.yaml_tree import parse
from gateway.core.errors import NotFound

FOLDER = "gateway.learn.templates"
Tokens = Annotated[int, Meta(ge=1)]


class Template(Section, frozen=True):
    """A set of rules to start from; a draft like any other."""

    name: str
    title: str
    description: str
    rules: tuple[Rule, ...]


class Prompts(Section, frozen=True):
    """A *share* of the traffic that is all of one kind."""

    share: Share
    task_type: str
    tier: Tier
    tokens_in: Tokens
    tokens_out: Tokens


class Mix(Section, frozen=True):
    """The traffic of a month: *requests* of several kinds, whose shares sum to 1."""

    name: str
    title: str
    requests: Annotated[int, Meta(ge=1)]
    prompts: tuple[Prompts, ...]


@functools.cache
def templates() -> tuple[Template, ...]:
    """Every set of rules."""
    return msgspec.convert(_tree("rules.yaml"), tuple[Template, ...])


@functools.cache
def mixes() -> tuple[Mix, ...]:
    """Every traffic mix."""
    return msgspec.convert(_tree("mixes.yaml"), tuple[Mix, ...])


def find_template(name: str) -> Template:
    """
    The set of rules called *name*.

    Raises:
        NotFound: there is none.
    """
    found = {one.name: one for one in templates()}
    if name not in found:
        raise NotFound(f"{unknown('template', name, found)}; one of {', '.join(found)}")
    return found[name]


def find_mix(name: str) -> Mix:
    """
    The traffic mix called *name*.

    Raises:
        NotFound: there is none.
    """
    found = {one.name: one for one in mixes()}
    if name not in found:
        raise NotFound(f"{unknown('mix', name, found)}; one of {', '.join(found)}")
    return found[name]


def _tree(file: str) -> object:
    tree, _ = parse(resources.files(FOLDER).joinpath(file).read_text("utf-8"))
    return tree
