"""The text that is classified: the last human ask, after the turns that it may refer to."""

from __future__ import annotations

import msgspec

from gateway.core.chat import Chat, Role, Text, ToolResult, Turn
from gateway.signals.ask import VIEW_CHARS, find_ask
from models.excerpt import join_excerpt

# About 500 tokens of English, what the encoder reads of one prompt; more would be cut there,
# unseen. The ask of a long message stands at an end, a little more often at the beginning.
ASK_CHARS_MAX = 2_000
HEAD_CHARS = 1_200
GAP = "\n[…]\n"
PRIOR_TURNS = 2  # an offer and its refinement; join_excerpt cuts each of them
PRIOR_TURNS_WALKED_MAX = 40  # between two turns with words lie the tool calls of one loop
TURNS_WALKED_MAX = 1_000  # back to the human ask: more steps than an agent is allowed
WALKED_CHARS_MAX = 50_000  # of text read on that way, about a millisecond


class Excerpt(msgspec.Struct, frozen=True):
    """
    What a classifier reads of a chat. *ask* holds the words of the human, at most ASK_CHARS_MAX
    characters; *text* has the turns before it too. "" when no human has said anything.

    *truncated*: the ask was longer. *agent_continuation*: tool results or harness text came after
    the ask, so this request is a later step of a loop.
    """

    text: str
    ask: str
    truncated: bool
    agent_continuation: bool


def read_excerpt(chat: Chat) -> Excerpt:
    """
    Find the last human ask of *chat* and the turns it may refer to.

    Never fails: where all user turns are tool results or harness text, the last user text as it
    stands is the ask. Time is bounded by TURNS_WALKED_MAX and
    WALKED_CHARS_MAX, not by the size of the chat.
    """
    turns = chat.turns
    continued, fallback, walked = False, -1, 0
    oldest = max(0, len(turns) - TURNS_WALKED_MAX)
    for i in range(len(turns) - 1, oldest - 1, -1):
        if turns[i].role is not Role.USER:
            continue
        said = turn_text(turns[i])
        walked += len(said)
        if walked > WALKED_CHARS_MAX:
            break
        ask = find_ask(said) if said else ""
        if ask:
            return excerpt(turns, i, ask, continued=continued)
        if said and fallback < 0:
            fallback = i
        continued = continued or bool(said) or holds_result(turns[i])
    if fallback >= 0:
        return excerpt(turns, fallback, turn_text(turns[fallback]), continued=False)
    return Excerpt(text="", ask="", truncated=False, agent_continuation=continued)


def excerpt(turns: tuple[Turn, ...], at: int, ask: str, *, continued: bool) -> Excerpt:
    """The excerpt of the *ask* found in turn *at*."""
    truncated = len(ask) > ASK_CHARS_MAX
    if truncated:
        ask = f"{ask[:HEAD_CHARS]}{GAP}{ask[-(ASK_CHARS_MAX - HEAD_CHARS) :]}"
    return Excerpt(
        text=join_excerpt(ask, prior_turns(turns, at)),
        ask=ask,
        truncated=truncated,
        agent_continuation=continued,
    )


def prior_turns(turns: tuple[Turn, ...], at: int) -> list[tuple[str, str]]:
    """The last PRIOR_TURNS turns before *at* in which someone speaks: role and words, in order."""
    spoken: list[tuple[str, str]] = []
    for i in range(at - 1, max(-1, at - 1 - PRIOR_TURNS_WALKED_MAX), -1):
        if turns[i].role is Role.SYSTEM:
            continue
        words = turn_text(turns[i])
        if words and turns[i].role is Role.USER:
            words = find_ask(words)
        if words:
            spoken.append((turns[i].role.value, words))
        if len(spoken) == PRIOR_TURNS:
            break
    spoken.reverse()
    return spoken


def turn_text(turn: Turn) -> str:
    """The words of a turn's text parts, a line break between two; both ends of very long parts."""
    return "\n".join(
        part.text if len(part.text) <= 4 * VIEW_CHARS else both_ends(part.text)
        for part in turn.parts
        if isinstance(part, Text)
    ).strip()


def both_ends(text: str) -> str:
    """What find_ask would read of *text*: its ends, so that a megabyte is never copied."""
    return f"{text[:VIEW_CHARS]}\n\n{text[-VIEW_CHARS:]}"


def holds_result(turn: Turn) -> bool:
    """Whether a tool has answered in this turn."""
    return any(isinstance(part, ToolResult) for part in turn.parts)
