"""What is wrong with a configuration, all of it at once."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from gateway.config.schema import Config


class Problem(msgspec.Struct, frozen=True):
    """*path* names the setting, such as ``$.rules[2].then.model``; *message* never a secret."""

    path: str
    message: str


class ConfigErrors(Exception):
    """
    The configuration cannot be used. *problems* are never empty, in the order of the file. *sound*
    is what is left of it without its mistakes of form, where that can still be judged.
    """

    def __init__(self, problems: Iterable[Problem], sound: Config | None = None) -> None:
        self.problems = tuple(problems)
        self.sound = sound
        super().__init__("\n".join(f"{found.path}: {found.message}" for found in self.problems))


def hint(name: str, known: Iterable[str]) -> str:
    """``; did you mean 'x'?`` when one of *known* looks like *name*, else nothing."""
    close = difflib.get_close_matches(name.lower(), list(known), n=1, cutoff=0.6)
    return f"; did you mean '{close[0]}'?" if close else ""


def unknown(kind: str, name: str, known: Iterable[str]) -> str:
    """The message for a *name* that is none of *known*."""
    return f"no {kind} is called '{name}'{hint(name, known)}"
