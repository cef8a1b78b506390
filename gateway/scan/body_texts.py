"""
Every text of a request's body that a model reads, and where its bytes are.

Works on the JSON itself, so that all dialects are covered at once, and what no dialect knows too.
A text is left out only where its name says that it is none: then it is an id, a name that must be
found again, media, or bound to a signature.
"""

from __future__ import annotations

import re

import msgspec
import numpy as np

from gateway.core.errors import InvalidRequest
from gateway.wire.decode import UNREADABLE, check_utf8, decode
from kernels.json_tokens import COLUMNS, NAME, NUMBER, OBJECT, TOO_DEEP, json_tokens

NESTED_MAX = 3  # JSON in a string in JSON in a string ...: deeper is plain text

RAW = msgspec.json.Decoder(msgspec.Raw)
_DATA_URL = re.compile(rb"data:[\w.+/;=\\-]*;base64,", re.IGNORECASE)


# What the names of an object mean.
PROTOCOL = 0  # a dialect's members, and unknown ones
SCHEMA = 1  # JSON schema
FREE = 2  # the caller's own data: no name means anything to us
CLOSED = 3  # nothing in it is read by a model

_SCHEMAS = dict.fromkeys((b"parameters", b"input_schema", b"schema"), SCHEMA)
_DATA = dict.fromkeys((b"input", b"arguments", b"metadata", b"documents"), FREE)
_CLOSED = dict.fromkeys((b"cache_control", b"mcp_servers", b"headers", b"logit_bias"), CLOSED)
_SAMPLES = (b"default", b"examples", b"example", b"enum", b"const")
# By zone: the zone below a member of that name; any other keeps the zone it stands in.
BELOW: tuple[dict[bytes, int], ...] = (
    {**_SCHEMAS, **_DATA, **_CLOSED},
    dict.fromkeys(_SAMPLES, FREE),
    {},
    {},
)
# By zone: strings of these names, and lists of them, are no texts. Objects below are looked into.
PASSED: tuple[frozenset[bytes], ...] = (
    frozenset(
        b"model models role type name id tool_call_id tool_use_id call_id file_id container"
        b" previous_response_id stop stop_sequences signature encrypted_content encrypted_index"
        b" media_type mime_type format detail effort reasoning_effort service_tier modalities"
        b" voice ttl encoding_format server_url authorization authorization_token".split()
    ),
    frozenset(
        b"type format pattern required $ref $id $schema $anchor $dynamicRef"
        b" contentEncoding contentMediaType".split()
    ),
    frozenset(),
    frozenset(),
)
MEDIA = frozenset({b"url", b"image_url", b"file_data"})  # where a data URL may stand
ENCODED = frozenset({b"base64", b"redacted_thinking", b"reasoning.encrypted"})  # types of "data"
SIGNED = frozenset({b"thinking", b"text"})  # what the signature beside it is bound to


class Leaf(msgspec.Struct, frozen=True):
    """
    One text: the token at *start* to *end* of its document, quotes included. *label* is the name
    that a value of the caller's own data stands under.
    """

    start: int
    end: int
    text: str
    label: str = ""


class Inner(msgspec.Struct, frozen=True):
    """A string, at *start* to *end* of the document around it, that is a JSON text itself."""

    start: int
    end: int
    document: Document


class Document(msgspec.Struct, frozen=True):
    """A JSON text and what it says, in order."""

    data: bytes
    parts: list[Leaf | Inner]

    def leaves(self) -> list[Leaf]:
        """All texts, those of inner documents in their place."""
        found: list[Leaf] = []
        for part in self.parts:
            if isinstance(part, Leaf):
                found.append(part)
            else:
                found += part.document.leaves()
        return found


def texts_of_body(body: bytes) -> list[str]:
    """The texts of *body* in order. Raises InvalidRequest as ``document_of``."""
    return [leaf.text for leaf in document_of(body).leaves()]


def document_of(body: bytes) -> Document:
    """
    What *body* says.

    Raises:
        InvalidRequest: no JSON, not UTF-8, or nested deeper than DEPTH_MAX.
    """
    check_utf8(body)
    decode(RAW, body)
    return _Reader(body, PROTOCOL, 0).document()


class _Reader:
    """Goes once through the tokens of one document."""

    def __init__(self, data: bytes, zone: int, level: int) -> None:
        self._data = data
        self._level = level
        self._zones = {-1: zone}
        self._names: dict[int, bytes] = {-1: b""}
        self._types: dict[int, bytes] = {}
        self._signed: set[int] = set()
        # texts whose fate hangs on a member that may follow: their part, name and object
        self._doubtful: list[tuple[int, bytes, int]] = []
        self._parts: list[Leaf | Inner | None] = []

    def document(self) -> Document:
        """Read all."""
        data, zones, names = self._data, self._zones, self._names
        for row, (kind, start, end, owner, under) in enumerate(_tokens(data)):
            zone = zones[owner]
            if kind == NAME:
                names[row] = name = self._name(start, end)
                # a name is a text where it is data: {"ann@example.org": 3}
                if zone == FREE and not name.replace(b"_", b"a").isalpha():
                    self._parts.append(Leaf(start, end, name.decode()))
                continue
            name = names[under]
            below = BELOW[zone].get(name, zone)
            if name == b"input" and owner == 0 and zone == PROTOCOL:
                below = zone  # the input of an embedding, or of a dialect whose turns it holds
            if kind == OBJECT:
                zones[row] = below
                if name == b"input_audio" and zone == PROTOCOL:
                    self._types[row] = b"base64"
            elif kind == NUMBER:
                digits = data[start:end]
                if below == FREE and digits.isdigit():
                    self._parts.append(Leaf(start, end, digits.decode(), _label(name)))
            elif below == PROTOCOL:
                self._member(start, end, owner, name)
            elif below != CLOSED and name not in PASSED[below]:
                self._string(start, end, name, below)
        for part, name, owner in self._doubtful:
            if self._is_opaque(name, owner):
                self._parts[part] = None
        return Document(self._data, [part for part in self._parts if part is not None])

    def _name(self, start: int, end: int) -> bytes:
        name = self._data[start + 1 : end - 1]
        return _text(self._data[start:end]).encode() if b"\\" in name else name

    def _member(self, start: int, end: int, owner: int, name: bytes) -> None:
        """A string that a dialect may know."""
        if name == b"type":
            self._types[owner] = self._data[start + 1 : end - 1]  # parsers keep the last
        elif name == b"signature" and end - start > 2:
            self._signed.add(owner)
        elif name == b"data" or name in SIGNED:
            self._doubtful.append((len(self._parts), name, owner))
        if name in PASSED[PROTOCOL]:
            return
        if name in MEDIA and _DATA_URL.match(self._data, start + 1, end):
            return
        self._string(start, end, name, PROTOCOL)

    def _string(self, start: int, end: int, name: bytes, zone: int) -> None:
        token = self._data[start:end]
        escaped = b"\\" in token
        text = _text(token) if escaped else token[1:-1].decode()
        if zone == FREE or escaped:
            inner = _inner(text, self._level)
            if inner is not None:
                self._parts.append(Inner(start, end, inner))
                return
        self._parts.append(Leaf(start, end, text, _label(name) if zone == FREE else ""))

    def _is_opaque(self, name: bytes, owner: int) -> bool:
        kind = self._types.get(owner)
        if name == b"data":
            return kind in ENCODED
        return owner in self._signed and (name == b"thinking" or kind == b"reasoning.text")


def _tokens(data: bytes) -> list[list[int]]:
    found = np.empty((len(data) // 2 + 1, COLUMNS), np.int32)
    count = json_tokens(np.frombuffer(data, np.uint8), found)
    if count == TOO_DEEP:
        raise InvalidRequest("The body is nested too deeply.")
    rows: list[list[int]] = found[:count].tolist()
    return rows


def _inner(text: str, level: int) -> Document | None:
    """The document that *text* is by itself; None for plain text."""
    if level == NESTED_MAX or not text.lstrip(" \t\r\n").startswith(("{", "[", '"')):
        return None
    data = text.encode()
    try:
        RAW.decode(data)
        return _Reader(data, FREE, level + 1).document()
    except (*UNREADABLE, InvalidRequest):
        return None


def _text(token: bytes) -> str:
    """What the string *token*, quotes included, says."""
    return msgspec.json.decode(token, type=str)


def _label(name: bytes) -> str:
    return f"{name.decode()}: " if name else ""
