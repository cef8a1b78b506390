"""Who operates the gateway, and what each role may do."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Concatenate, ParamSpec, TypeVar

import msgspec

from gateway.core.errors import Forbidden
from gateway.state.facts import Role

RANKS: dict[Role, int] = {"viewer": 0, "operator": 1, "admin": 2}

Of = TypeVar("Of")
Given = ParamSpec("Given")
Answer = TypeVar("Answer")
Verb = Callable[Concatenate[Of, "Operator", Given], Coroutine[Any, Any, Answer]]


class Operator(msgspec.Struct, frozen=True):
    """
    Who is at the desk. *id* is what the audit log calls the actor: that of an admin key, or
    ``sso:`` and the e-mail address of a person.

    A viewer reads. An operator changes all but admin keys, provider keys and what tenants pay. An
    admin does everything.
    """

    id: str
    role: Role

    def roles(self) -> frozenset[Role]:
        """The roles whose work it may do."""
        return frozenset(role for role, rank in RANKS.items() if rank <= RANKS[self.role])

    def check(self, role: Role) -> None:
        """Raises Forbidden where this takes at least *role*."""
        if RANKS[self.role] < RANKS[role]:
            raise Forbidden(f"This takes the role {role}; '{self.id}' has {self.role}.")


def needs(
    role: Role,
) -> Callable[
    [Callable[Concatenate[Of, Operator, Given], Awaitable[Answer]]], Verb[Of, Given, Answer]
]:
    """A method of the desk, whose first argument is who asks, for *role* and above."""

    def declare(
        method: Callable[Concatenate[Of, Operator, Given], Awaitable[Answer]],
    ) -> Verb[Of, Given, Answer]:
        @functools.wraps(method)
        async def checked(
            self: Of, who: Operator, /, *args: Given.args, **kwargs: Given.kwargs
        ) -> Answer:
            who.check(role)
            return await method(self, who, *args, **kwargs)

        checked.role = role  # type: ignore[attr-defined]  # for the description and the tests
        return checked

    return declare
