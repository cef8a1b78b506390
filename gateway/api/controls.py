"""
Read what a client said about routing, in whatever family of headers or body members.

Our family wins over every other, a product's over none's (``X-Session-Id``), then the first that
spoke; a header of ours wins over our body member. What was overruled or is unknown is named in the
warnings. A family that is spoken without a route action says nothing about it:
the default of the operator holds, which for a named model is not to route.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

import msgspec

from gateway.api.control_values import Value
from gateway.api.families import (
    DISPATCH_MEMBERS,
    HINT_SETTINGS,
    OWN_MEMBER,
    PREFIXES,
    Setting,
    dispatch_settings,
    header_settings,
    own_settings,
)
from gateway.api.vocabulary import mode_names
from gateway.core.errors import InvalidRequest
from gateway.core.families import NEURALROUTING, SWITCHYARD
from gateway.core.request import Controls

SHOWN_CHARS_MAX = 40  # of a refused value: enough to recognise a typing error
UNKNOWN_MAX = 16  # named in the warnings; more is one mistake, not many

SILENT = Controls()
NO_MEMBERS: dict[str, bytes] = {}
X = ("x-", "X-")  # every header that says something begins so
FAMILY_PREFIXES = tuple(PREFIXES)
MEMBER = msgspec.json.Decoder(str | bool | float | list[str] | dict[str, str] | None)
OWN = msgspec.json.Decoder(dict[str, Value | None])
OWN_MEMBERS = (OWN_MEMBER, *HINT_SETTINGS)

Said = tuple[Setting, Value]
T = TypeVar("T")


class ControlReader:
    """Reads the controls of requests. Immutable: one per configuration."""

    def __init__(self, modes: Iterable[str] = ()) -> None:
        """*modes* are the names of the configured modes, beside the built-in ones."""
        names = mode_names(modes)
        self._headers = header_settings(names)
        self._own = own_settings(names)
        self._dispatch = dispatch_settings(names)

    def read(
        self,
        headers: Mapping[str, str],
        extra: Mapping[str, bytes] = NO_MEMBERS,
        spoken: tuple[str, ...] = (),
    ) -> Controls:
        """
        Read the controls of one request.

        Args:
            headers: of the request; names in any case, and each may occur several times.
            extra: members of the body without a canonical meaning, ``Chat.extra``.
            spoken: families that the path speaks, whatever the headers say.

        Raises:
            InvalidRequest: a value that we do not know; ``param`` names the header or member.
        """
        said: list[Said] = []
        unknown: list[str] = []
        for name, value in headers.items():
            if name[:2] in X:
                lower = name.lower()
                if (setting := self._headers.get(lower)) is not None:
                    said.append((setting, value))
                elif lower.startswith(FAMILY_PREFIXES):
                    unknown.append(lower)
        if extra:
            self._read_own(extra, said, unknown)
            self._read_others(extra, spoken, said)
        if not said and not unknown:
            return Controls(families=spoken) if spoken else SILENT
        return _resolve(said, unknown, spoken)

    def _read_own(self, extra: Mapping[str, bytes], said: list[Said], unknown: list[str]) -> None:
        """Add what our body member says to *said* and *unknown*."""
        member = extra.get(OWN_MEMBER)
        if member is None:
            return
        for key, value in _decode(OWN, member, OWN_MEMBER).items():
            if (setting := self._own.get(key)) is None:
                unknown.append(f"{OWN_MEMBER}.{key}")
            elif value is not None:
                said.append((setting, value))

    def _read_others(
        self, extra: Mapping[str, bytes], spoken: tuple[str, ...], said: list[Said]
    ) -> None:
        """Add what the members of other products say to *said*."""
        for table in (HINT_SETTINGS, self._dispatch if NEURALROUTING in spoken else {}):
            for name, setting in table.items():
                member = extra.get(name)
                value = None if member is None else _decode(MEMBER, member, name)
                if value is not None:
                    said.append((setting, value))


def own_members(extra: Mapping[str, bytes], spoken: tuple[str, ...] = ()) -> tuple[str, ...]:
    """The members of the body that are for us: to be removed before an upstream sees it."""
    names = OWN_MEMBERS + DISPATCH_MEMBERS if NEURALROUTING in spoken else OWN_MEMBERS
    return tuple(name for name in names if name in extra)


def _decode(decoder: msgspec.json.Decoder[T], member: bytes, name: str) -> T:
    """The value of one member of the body."""
    try:
        return decoder.decode(member)
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise InvalidRequest(f"{name} cannot be read: {problem}.", param=name) from None


def _resolve(said: list[Said], unknown: list[str], spoken: tuple[str, ...]) -> Controls:
    """One value for each control, and a warning for all that was in vain."""
    families = dict.fromkeys(spoken)  # a set that keeps its order
    values: dict[str, object] = {}
    winners: dict[str, str] = {}
    warnings: list[str] = []
    for setting, raw in sorted(said, key=_rank):  # stable: the first stays the first
        value = _read(setting, raw)
        if setting.field not in values:
            values[setting.field] = value
            winners[setting.field] = setting.name
        elif value != values[setting.field]:
            warnings.append(f"{setting.name}: overruled by {winners[setting.field]}")
    families.update((setting.family, None) for setting, _ in said if setting.family)
    families.update((_family(name), None) for name in unknown)
    warnings += [f"{name}: unknown" for name in unknown[:UNKNOWN_MAX]]
    return msgspec.structs.replace(
        SILENT, **values, families=tuple(families), warnings=tuple(warnings)
    )


def _rank(said: Said) -> int:
    """Whose word counts first."""
    family = said[0].family
    return 0 if family == SWITCHYARD else 1 if family else 2


def _read(setting: Setting, raw: Value) -> object:
    """The value that *raw* means."""
    try:
        return setting.read(raw)
    except ValueError as must_be:
        shown = ascii(raw)[:SHOWN_CHARS_MAX]  # what is no ASCII would not survive every log
        raise InvalidRequest(
            f"{setting.name} is {shown}; it must be {must_be}.", param=setting.name
        ) from None


def _family(name: str) -> str:
    """Of a header in lower case or a member with its path, whose family is known."""
    for prefix, family in PREFIXES.items():
        if name.startswith(prefix):
            return family
    return SWITCHYARD
