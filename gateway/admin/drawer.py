"""What all parts of the desk share: facts of one kind, listed, looked up and written."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, Any, ClassVar, Generic, TypeVar

import msgspec
from msgspec import Meta

from gateway.admin.office import Office
from gateway.admin.roles import Operator, needs
from gateway.core.errors import Conflict, InvalidRequest, NotFound
from gateway.state.fact_store import Outrun, Ref, Write
from gateway.state.facts import Facts, FactValue, decode_fact

PAGE_MAX = 200
TRIES = 5  # of a change that does not care what others wrote
PageLimit = Annotated[int, Meta(ge=1, le=PAGE_MAX)]
V = TypeVar("V")
F = TypeVar("F", bound=FactValue)
S = TypeVar("S", bound=msgspec.Struct)


class Entry(msgspec.Struct, Generic[V], frozen=True):
    """One of a list, as this process holds it: at most some seconds old."""

    id: str
    value: V


class Item(msgspec.Struct, Generic[V], frozen=True):
    """One as the database has it. *version* changes with every write; it is the ETag."""

    id: str
    version: int
    value: V


class Made(msgspec.Struct, Generic[V], frozen=True):
    """One that was just made, with its *secret*, which is shown this once."""

    id: str
    version: int
    value: V
    secret: str


class Page(msgspec.Struct, Generic[V], frozen=True):
    """Part of a list; *next* is the cursor of the following part, None at the end."""

    items: list[V]
    next: str | None = None


class Drawer(Generic[F, V]):
    """Facts of one *kind*, of type F, shown to operators as V, which holds no secret."""

    kind: ClassVar[str]
    noun: ClassVar[str]  # for a person

    def __init__(self, office: Office) -> None:
        self._office = office

    def view(self, id_: str, fact: F) -> V:
        """*fact* as operators see it."""
        raise NotImplementedError

    @needs("viewer")
    async def list(
        self, who: Operator, after: str = "", limit: int = PAGE_MAX, tenant: str | None = None
    ) -> Page[Entry[V]]:
        """At most *limit* of them behind the id *after*, in order of id; those of one *tenant*."""
        held, limit = self._held(), min(limit, PAGE_MAX)
        behind = (id_ for id_, fact in held.items() if id_ > after and of(fact, tenant))
        found = heapq.nsmallest(limit + 1, behind)
        shown = found[:limit]
        entries = [Entry(id_, self.view(id_, held[id_])) for id_ in shown]
        return Page(entries, shown[-1] if len(found) > len(shown) else None)

    @needs("viewer")
    async def get(self, who: Operator, id_: str) -> Item[V]:
        """One of them. Raises NotFound, Unavailable."""
        version, fact = await self._find(id_)
        return Item(id_, version, self.view(id_, fact))

    def _held(self) -> dict[str, F]:
        held: dict[str, Any] = self._office.replica.facts.of(self.kind)
        return held

    async def _find(self, id_: str) -> tuple[int, F]:
        """Version and fact. Raises NotFound, Unavailable."""
        change = await asyncio.to_thread(self._office.fact_store.find, self.kind, id_)
        if change is None or change.payload is None:
            raise NotFound(f"There is no {self.noun} '{id_[:80]}'.")
        fact: Any = decode_fact(self.kind, change.payload)
        return change.version, fact

    async def _change(
        self,
        who: Operator,
        id_: str,
        expected: int | None,
        changed: Callable[[F], F],
        action: str,
        *,
        leans_on: Sequence[Ref] = (),
        alone: bool = False,
    ) -> Item[V]:
        """
        Replace one by what *changed* makes of it. Where the writer has not said which version it
        saw, it is the one that is there now, however often somebody else is quicker. *alone*:
        *changed* looks at others of the kind too, and nobody writes any meanwhile.

        Raises:
            NotFound, Conflict, Unavailable: see FactStore.write.
        """
        for left in reversed(range(TRIES)):
            seen = await self._seen() if alone else None
            version, fact = await self._find(id_)
            after = changed(fact)
            write = Write(self.kind, id_, after, version if expected is None else expected)
            try:
                written = await self._write(who, action, write, leans_on=leans_on, seen=seen)
            except Outrun:
                if not left:
                    raise
            except Conflict:
                if expected is not None or not left:
                    raise
            else:
                return Item(id_, written, self.view(id_, after))
        raise AssertionError("the last try returns or raises")

    async def _delete_unused(
        self,
        who: Operator,
        id_: str,
        expected: int | None,
        others: Callable[[Facts], Sequence[Write]],
    ) -> None:
        """
        Delete one with the *others* that go with it. *others* raises Conflict where something is
        left that needs it, and nobody makes such a thing meanwhile.

        Raises:
            NotFound, Conflict, Unavailable: see FactStore.write.
        """
        for left in reversed(range(TRIES)):
            seen = await self._seen()
            writes = [Write(self.kind, id_, None, expected), *others(self._office.replica.facts)]
            try:
                await self._write(who, "delete", *writes, seen=seen)
            except Outrun:
                if not left:
                    raise
            else:
                return

    async def _seen(self) -> int:
        """The version of all facts, which are fresh."""
        await self._office.refresh()
        return self._office.replica.facts.version

    async def _write(
        self,
        who: Operator,
        action: str,
        *writes: Write,
        leans_on: Sequence[Ref] = (),
        seen: int | None = None,
    ) -> int:
        """Write all of *writes* or nothing; the version afterwards. See FactStore.write."""
        office = self._office
        version = await asyncio.to_thread(
            office.fact_store.write,
            writes,
            actor=who.id,
            action=action,
            leans_on=leans_on,
            seen=seen,
        )
        await office.refresh()
        return version


def of(fact: object, tenant: str | None) -> bool:
    """Whether *fact* belongs to *tenant*; None: any."""
    return tenant is None or getattr(fact, "tenant", None) == tenant


def picked(kind: type[S], fact: msgspec.Struct) -> S:
    """The members of *fact* that *kind* has too."""
    return kind(**{name: getattr(fact, name) for name in kind.__struct_fields__})


def members(draft: msgspec.Struct) -> dict[str, Any]:
    """The members of *draft*, for ``msgspec.structs.replace``."""
    return msgspec.structs.asdict(draft)


def wrong(path: str, message: str) -> InvalidRequest:
    """The error of a value that has the right shape and no sense; *path* is like ``$.limits``."""
    return InvalidRequest(message, param=path, code="invalid_value", status=422)


def refuse(problems: Iterable[tuple[str, str]]) -> None:
    """Raises InvalidRequest with every one of *problems* (path and message), if there are any."""
    found = list(problems)
    if found:
        told = "; ".join(f"{path}: {message}" for path, message in found)
        raise wrong(found[0][0], told if len(found) > 1 else found[0][1])
