"""Splice a body of the OpenAI family for another model or provider; nothing is built."""

from __future__ import annotations

import msgspec

from gateway.wire.members import edit, name_of, spans
from gateway.wire.openai_write import LIMITS

NULL = b"null"
WITH_USAGE = b'{"include_usage":true}'


def forward(
    body: bytes,
    *,
    model: str,
    include_usage: bool = False,
    omit: tuple[str, ...] = (),
    keep_thinking: bool = True,
) -> bytes:
    """
    *body* for *model*, the identical object when nothing changes.

    *include_usage* sets ``stream_options.include_usage``. Members in *omit* are removed, but a
    token limit goes by its other name instead: without it an answer could cost anything.
    *keep_thinking* changes nothing: reasoning carries no signatures in this family.
    """
    changes: dict[str, bytes | None] = dict.fromkeys(omit)
    changes["model"] = msgspec.json.encode(model)
    rows = None
    ours = include_usage and "stream_options" not in omit
    if ours or not set(omit).isdisjoint(LIMITS):
        rows = spans(body)
        present = {name_of(body, span): body[span[2] : span[3]] for span in rows}
        if ours:
            changes["stream_options"] = _with_usage(present.get("stream_options"))
        for name, other in (LIMITS, LIMITS[::-1]):
            unset = other not in omit and present.get(other, NULL) == NULL
            if name in omit and name in present and unset:
                changes[other] = present[name]
    return edit(body, changes, rows)


def _with_usage(options: bytes | None) -> bytes:
    if options is None or options == NULL:
        return WITH_USAGE
    return edit(options, {"include_usage": b"true"})
