"""Naive twin of kernels/normal. Imports nothing of ours."""

from __future__ import annotations

import string

LETTERS = set(string.ascii_letters)
SWAPS = set(string.digits + "@$!|+")
CLASSES = {
    1: LETTERS,
    2: set(string.digits),
    4: set("@$!|+"),
    8: LETTERS | set(string.digits + "+/-_"),
    16: set(string.hexdigits + "xX ,:;-\n\r\\|"),
    32: set(".-/|_ \n\xb7"),
}


def has_run(text: str, bit: int, least: int) -> bool:
    """Whether *least* characters in a row are of class *bit*."""
    marks = "".join("1" if c in CLASSES[bit] else " " for c in text)
    return any(len(run) >= least for run in marks.split())


def count_signs(text: str) -> list[int]:
    """Signs within words, signs before words, the longest row of spaced letters, escapes."""
    inside = before = escaped = longest = 0
    padded = f"\0{text}\0"
    for left, c, right in zip(padded, text, padded[2:], strict=False):
        if c in SWAPS and right in LETTERS:
            inside += left in LETTERS
            before += left not in LETTERS
        if c in "%&\\":
            escaped += right in LETTERS or right in string.digits or right in "#{"
    alone = [
        i
        for i in range(len(text))
        if text[i] in LETTERS and padded[i] not in LETTERS and padded[i + 2] not in LETTERS
    ]
    for i in alone:
        row = 1
        while i + 2 * row in alone:
            row += 1
        longest = max(longest, row)
    return [inside, before, longest, escaped]


def best_reading(text: str, gains: list[int]) -> int:
    """The gain of the best stretch, each tried."""
    codes = [ord(c.lower()) - 96 if c in LETTERS else 0 for c in text]
    pairs = list(zip([0, *codes], [*codes, 0], strict=True))
    steps = [gains[a * 32 + b] for a, b in pairs if a or b]
    return max(
        [0, *(sum(steps[i:j]) for i in range(len(steps)) for j in range(i + 1, len(steps) + 1))]
    )
