"""Cheap facts of a request, read without inference."""

from __future__ import annotations

import msgspec

from gateway.core.fleet import Capability


class Signals(msgspec.Struct, frozen=True):
    """
    What the text and the shape of a request say at once. Everything a rule can ask for is here,
    and everything is recorded, so a decision can be made again without the text. Where routing is
    off nobody reads the ask, and what is said of it stays empty.
    """

    tokens_in: int  # estimate over everything that is sent, tools and images included
    tokens_system: int  # of that, the system prompt
    system_prompt_chars: int
    turns: int
    asks: int  # human turns
    needs: Capability  # what the deployment must be able to do
    has_tools: bool
    has_vision: bool
    requires_json: bool
    has_code: bool
    has_math: bool
    questions: int  # question marks of the ask, any script
    constraints: int  # list items and words such as must, at most, without; see signals/text
    words: int  # of the ask
    script: str  # latin, cyrillic, han, ...: the commonest letters of the ask
    language: str  # ISO 639-1 guess, "" when unsure
    max_tokens: int | None  # the client's own limit of the answer
    stream: bool
    agent_continuation: bool  # the last turn is a tool result: the middle of an agent's loop
    excerpt_chars: int
    excerpt_truncated: bool
