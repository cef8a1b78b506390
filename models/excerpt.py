"""The text that the classifiers read, in training and in the gateway alike."""

from __future__ import annotations

from collections.abc import Sequence

# Stands between the turns before and the ask. A control character: no human types it, every
# tokenizer drops it.
ASK_MARK = "\x1e"

# Of an earlier turn its two ends are kept: what it is about, and the offer or question it ends on.
PRIOR_HEAD_CHARS = 160
PRIOR_TAIL_CHARS = 160
GAP = " […] "


def join_excerpt(ask: str, prior: Sequence[tuple[str, str]]) -> str:
    """
    One text of the *ask* and the turns before it, the ask last and whole.

    *prior* holds role and words of earlier turns, oldest first; "" when nobody has said anything.
    """
    lines = [f"{role}: {shortened(without_mark(words))}\n" for role, words in prior]
    if not lines:
        return without_mark(ask)
    return "".join([*lines, ASK_MARK, without_mark(ask)])


def split_excerpt(text: str) -> tuple[str, str]:
    """The turns before the ask, "" without any, and the ask: what join_excerpt has joined."""
    prior, _, ask = text.rpartition(ASK_MARK)
    return prior, ask


def shortened(words: str) -> str:
    """Both ends of a long turn."""
    if len(words) <= PRIOR_HEAD_CHARS + PRIOR_TAIL_CHARS + len(GAP):
        return words
    return f"{words[:PRIOR_HEAD_CHARS]}{GAP}{words[-PRIOR_TAIL_CHARS:]}"


def without_mark(words: str) -> str:
    """The words with every ASK_MARK a space, so that nobody can set one from outside."""
    return words.replace(ASK_MARK, " ")
