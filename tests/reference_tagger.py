"""Naive twin of the tagger's kernels: strings, and all paths. Imports nothing of ours."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

TYPES = 4
LABELS = 1 + 2 * TYPES


def kind_of(character: str) -> str:
    """What a character of the tests belongs to; one of a dense script is its own token."""
    if character == "\n":
        return "break"
    if character.isspace():
        return "blank"
    if "一" <= character <= "鿿" or "ぁ" <= character <= "ゟ" or "가" <= character <= "힣":
        return "dense"
    if "゠" <= character <= "ヿ":
        return "katakana"
    if character.isdigit():
        return "number"
    return "word" if character.isalpha() else "sign"


def tokens(text: str) -> list[tuple[int, int]]:
    """Start and end of each token."""
    found, at = [], 0
    for kind, characters in itertools.groupby(text, key=kind_of):
        size = len(list(characters))
        step = {"dense": 1, "sign": 1}.get(kind, 64)
        if kind not in ("blank", "break"):
            found += [(i, min(i + step, at + size)) for i in range(at, at + size, step)]
        at += size
    return found


def gaps(text: str) -> list[int]:
    """What lies before each token: nothing, a blank, more, a new line, a new block."""
    found, end = [], 0
    for start, stop in tokens(text):
        between = text[end:start]
        breaks = between.count("\n") + (2 if not found else 0)
        blanks = len(between) + between.count("\t")
        found.append(min(breaks + 2, 4) if breaks else min(blanks, 2))
        end = stop
    return found


def path_score(path: Sequence[int], scores: list[list[int]], follow: list[list[int]]) -> int:
    """The sum of a path, which comes from label 0."""
    total, before = 0, 0
    for label, row in zip(path, scores, strict=True):
        total, before = total + follow[before][label] + row[label], label
    return total


def best_score(scores: list[list[int]], follow: list[list[int]]) -> int:
    """The best sum of all paths."""
    paths = itertools.product(range(LABELS), repeat=len(scores))
    return max(path_score(path, scores, follow) for path in paths)


def names(labels: Sequence[int]) -> list[tuple[int, int, int]]:
    """First token, end and type of each name in a row of labels."""
    found: list[tuple[int, int, int]] = []
    for i, label in enumerate(labels):
        if label > TYPES and found and found[-1][1:] == (i, label - TYPES - 1):
            found[-1] = (found[-1][0], i + 1, found[-1][2])
        elif label > 0:
            found.append((i, i + 1, (label - 1) % TYPES))
    return found
