"""
The key of a request: equal for two requests that one answer serves, and for no others.

What counts is what JSON means: neither the order of members nor white space nor the way a string
is escaped. Elements of lists keep their order, and a number is what it is written as (1 is not
1.0). The members in INSIGNIFICANT say nothing about the answer.
"""

from __future__ import annotations

import hashlib
from typing import Final

import msgspec
import numpy as np

from gateway.core.request import Request
from gateway.wire.decode import UNREADABLE
from kernels.json_members import members_at_any_depth

KEY_BYTES: Final = 32  # two different requests of one tenant never meet
PERSON: Final = b"switchyard-cache"  # BLAKE2 takes 16 bytes
SHAPE: Final = 1  # of what is hashed: with another one no old key fits

# Members of the body -> why they are left out.
INSIGNIFICANT: Final[dict[str, str]] = {
    "stream": "in the key by itself",
    "stream_options": "its include_usage is in the key by itself; the rest is padding",
    "user": "whom the provider counts the request for",
    "safety_identifier": "the same under its newer name",
    "metadata": "labels for the provider's own log; Anthropic's holds the user",
    "store": "whether the provider keeps a copy",
    "prompt_cache_key": "where the provider looks for a prefix that it has read before",
    "prompt_cache_retention": "how long it keeps that prefix",
}
TRACING: Final = frozenset({"traceparent", "tracestate"})  # forwarded, and different every time

_DECODER = msgspec.json.Decoder(dict[str, object])
_SORTED = msgspec.json.Encoder(order="sorted")


def key_of(request: Request, *, policy: str, shown_model: str) -> bytes | None:
    """
    The key of *request*, whose body has been stripped of what no upstream may see.

    Args:
        request: its tenant, dialect, body, forwarded headers and the controls that change who
            answers or what is sent are in the key.
        policy: version of the routing policy that decides on it.
        shown_model: how the answer's model is named, ``routing.answer_model``.

    Returns:
        KEY_BYTES bytes; None for a body that parsers may understand differently: then nobody knows
        what an answer would be to.
    """
    body = canonical(request.body)
    if body is None:
        return None
    controls, chat = request.controls, request.chat
    around = (
        SHAPE,
        request.principal.tenant,
        policy,
        shown_model,
        request.kind,
        request.dialect,
        request.provider,
        chat.stream,
        chat.stream and chat.include_usage,
        controls.action,
        controls.mode,
        controls.prefer_model,
        controls.compression,
        controls.compression_rate,
        sorted(pair for pair in request.headers if pair[0].lower() not in TRACING),
    )
    found = hashlib.blake2b(msgspec.json.encode(around), digest_size=KEY_BYTES, person=PERSON)
    found.update(b"\n")  # JSON on one line ends here, so the two parts cannot be shifted
    found.update(body)
    return found.digest()


def canonical(body: bytes) -> bytes | None:
    """
    The significant members of the JSON object *body*, sorted by name at any depth. None when it
    cannot be read, or an object in it has two members of the same name: we would read one of them,
    the upstream perhaps the other.
    """
    try:
        members = _DECODER.decode(body)
        whole = _SORTED.encode(members)
    except (*UNREADABLE, UnicodeError):
        return None
    if _members(whole) != _members(body):
        return None
    if INSIGNIFICANT.keys().isdisjoint(members):
        return whole
    kept = {name: value for name, value in members.items() if name not in INSIGNIFICANT}
    return _SORTED.encode(kept)


def _members(text: bytes) -> int:
    return int(members_at_any_depth(np.frombuffer(text, np.uint8)))
