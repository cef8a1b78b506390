"""Splice a body of POST /v1/messages for another model or provider."""

from __future__ import annotations

from typing import Any

import msgspec

from gateway.wire.members import edit, name_of, spans

BOUND = frozenset({"thinking", "redacted_thinking"})


class Message(msgspec.Struct):
    """One message of the history."""

    role: str
    content: str | list[msgspec.Raw]


class Kind(msgspec.Struct):
    """A content block, of which only the type matters."""

    type: str


MESSAGES = msgspec.json.Decoder(list[Message])
KIND = msgspec.json.Decoder(Kind)


def forward(
    body: bytes,
    *,
    model: str,
    include_usage: bool = False,
    omit: tuple[str, ...] = (),
    keep_thinking: bool = True,
) -> bytes:
    """
    *body* for *model*, the identical object when nothing changes. Members in *omit* are removed.

    Without *keep_thinking* the history loses its reasoning, whose signatures another family of
    models refuses, for good. Manual thinking (``enabled``) is then removed too: inside a loop of
    tools it demands the very blocks that are gone; and with it context editing that clears
    thinking, which is refused without. *include_usage* changes nothing: a stream always reports
    usage here.
    """
    changes: dict[str, bytes | None] = dict.fromkeys(omit)
    changes["model"] = msgspec.json.encode(model)
    rows = None
    if not keep_thinking and b"thinking" in body:
        rows = spans(body)
        present = {name_of(body, span): body[span[2] : span[3]] for span in rows}
        messages = present.get("messages", b"[]")
        bare = without_thinking(messages)
        if bare is not messages:
            changes["messages"] = bare
            if b'"enabled"' in present.get("thinking", b""):
                changes["thinking"] = None
                if b"clear_thinking" in present.get("context_management", b""):
                    changes["context_management"] = None
    return edit(body, changes, rows)


def without_thinking(messages: bytes) -> bytes:
    """The JSON of ``messages`` less reasoning; the identical object when there is none."""
    kept: list[dict[str, Any]] = []
    found = False
    for message in MESSAGES.decode(messages):
        content = message.content
        if isinstance(content, list):
            content = [raw for raw in content if KIND.decode(raw).type not in BOUND]
            found |= len(content) < len(message.content)
        if content or not message.content:
            kept.append({"role": message.role, "content": content})
    return msgspec.json.encode(kept) if found else messages
