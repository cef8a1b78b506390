"""The text that is classified: the last human ask, after what it may refer to."""

from __future__ import annotations

import msgspec

from gateway.core.chat import Chat, Role, Text, ToolResult, Turn
from gateway.signals.ask import VIEW_CHARS, both_ends, find_ask
from gateway.signals.pasted import is_ask
from models.excerpt import join_excerpt

# About 500 tokens of English, what the encoder reads of one prompt; more would be cut there,
# unseen. The ask of a long message stands at an end, a little more often at the beginning.
ASK_CHARS_MAX = 2_000
HEAD_CHARS = 1_200
GAP = "\n[…]\n"
PART_CHARS_MIN = 500  # read from each end of a part, however many there are
FILE_CHARS_MIN = 4_000  # a part as long as this, beside a short ask, is what the ask is about
PRIOR_TURNS = 2  # an offer and its refinement; join_excerpt cuts each of them
PRIOR_TURNS_WALKED_MAX = 40  # between two turns with words lie the tool calls of one loop
TURNS_WALKED_MAX = 1_000  # back to the human ask: more steps than an agent is allowed
WALKED_CHARS_MAX = 50_000  # of text read on that way, about a millisecond


class Excerpt(msgspec.Struct, frozen=True):
    """
    What a classifier reads of a chat. *ask* holds the words of the human, at most ASK_CHARS_MAX
    characters; *text* has the system prompt and the turns before it too. "" when no human has said
    anything.

    *truncated*: the ask was longer. *agent_continuation*: this request is a later step of a loop,
    because tool results came after the ask, or harness text after an answer to it.
    """

    text: str
    ask: str
    truncated: bool
    agent_continuation: bool


def read_excerpt(chat: Chat) -> Excerpt:
    """
    Find the last human ask of *chat* and the turns it may refer to.

    Never fails: where all user turns are tool results or harness text, the last user text as it
    stands is the ask. Time is bounded by TURNS_WALKED_MAX and WALKED_CHARS_MAX, not by the size of
    the chat.
    """
    turns = chat.turns
    continued = harnessed = False
    fallback, walked = -1, 0
    for i in range(len(turns) - 1, max(-1, len(turns) - 1 - TURNS_WALKED_MAX), -1):
        turn = turns[i]
        if turn.role is not Role.USER:
            continued = continued or (harnessed and turn.role is Role.ASSISTANT)
            continue
        said = turn_text(turn)
        if said:
            if walked > WALKED_CHARS_MAX:
                break
            walked += len(said)
            if ask := find_ask(said):
                return excerpt(turns, i, ask, continued=continued)
            harnessed = True
            fallback = i if fallback < 0 else fallback
        continued = continued or holds_result(turn)
    if fallback >= 0:
        return excerpt(turns, fallback, turn_text(turns[fallback]), continued=continued)
    return Excerpt(text="", ask="", truncated=False, agent_continuation=continued)


def excerpt(turns: tuple[Turn, ...], at: int, ask: str, *, continued: bool) -> Excerpt:
    """The excerpt of the *ask* found in turn *at*."""
    truncated = len(ask) > ASK_CHARS_MAX
    if truncated:
        ask = f"{ask[:HEAD_CHARS]}{GAP}{ask[-(ASK_CHARS_MAX - HEAD_CHARS) + len(GAP) :]}"
    return Excerpt(
        text=join_excerpt(ask, [*system_prompt(turns), *prior_turns(turns, at)]),
        ask=ask,
        truncated=truncated,
        agent_continuation=continued,
    )


def system_prompt(turns: tuple[Turn, ...]) -> list[tuple[str, str]]:
    """
    The words of the system prompt that opens a chat, with their role. It is no ask, but often says
    what is to be done with what the user sends.
    """
    words = turn_text(turns[0]) if turns[0].role is Role.SYSTEM else ""
    return [(Role.SYSTEM.value, words)] if words else []


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
    """
    The words of a turn's text parts, a blank line between two.

    Of very long parts only both ends, so that a megabyte is never copied; and of files beside a
    short ask only so much of the beginning that the ask stays in the excerpt, even between two.
    """
    texts = [part.text for part in turn.parts if isinstance(part, Text)]
    if not texts:
        return ""
    if len(texts) > 1 and any(is_ask(text.strip()) for text in texts):
        chars = ASK_CHARS_MAX // (2 * len(texts))
        return "\n\n".join(text[:chars] if len(text) > FILE_CHARS_MIN else text for text in texts)
    chars = max(PART_CHARS_MIN, VIEW_CHARS // len(texts))
    return "\n\n".join(
        text if len(text) <= 2 * chars else both_ends(text, chars) for text in texts
    ).strip()


def holds_result(turn: Turn) -> bool:
    """Whether a tool has answered in this turn."""
    return any(isinstance(part, ToolResult) for part in turn.parts)
