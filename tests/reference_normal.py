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
    64: set("\x7f"),
}


def next_run(text: str, bit: int, least: int, begin: int) -> int:
    """Where *least* characters in a row are of class *bit* for the first time."""
    marks = "".join("1" if c in CLASSES[bit] else " " for c in text)
    return marks.find("1" * least, begin)


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


def pairs_of(text: str) -> list[tuple[int, int]]:
    """Each character with the one before it, as 1 to 26 or 0, and the last one with the end."""
    codes = [ord(c.lower()) - 96 if c in LETTERS else 0 for c in text]
    return list(zip([0, *codes], [*codes, 0], strict=True))


def best_reading(text: str, gains: list[int]) -> int:
    """The gain of the best stretch, each tried."""
    steps = [gains[a * 32 + b] for a, b in pairs_of(text) if a or b]
    return max(
        [0, *(sum(steps[i:j]) for i in range(len(steps)) for j in range(i + 1, len(steps) + 1))]
    )


def gain_of(text: str, gains: list[int], start: int, end: int) -> int:
    """The gain of a stretch; one from the beginning may count the first letter by itself."""
    steps = [gains[a * 32 + b] if a or b else 0 for a, b in pairs_of(text)]
    inner = sum(steps[start + 1 : end + 1])
    return max(inner, inner + steps[0]) if start == 0 else inner
