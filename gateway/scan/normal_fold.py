"""Make characters plain: styled letters, look-alikes, characters that nobody sees."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

# Compatibility letters that honest text is full of: ordinals, units, trade marks, Roman numbers.
_HONEST = (
    (0xA0, 0x17F),
    (0x1C4, 0x1F3),
    (0x2100, 0x2101),
    (0x2103, 0x2109),
    (0x2116, 0x2122),
    (0x2139, 0x2139),
    (0x2160, 0x217F),
    (0x249C, 0x24B5),
    (0x3250, 0x33FF),
    (0x1F12A, 0x1F12F),
    (0x1F16A, 0x1F16F),
    (0x1F190, 0x1F2FF),
)
_COMPATIBILITY = ((0x2B0, 0x24FF), (0x2C7C, 0x2C7D), (0xA69C, 0xFFFF), (0x1D400, 0x1D7FF))
_ENCLOSED = ((0x1F110, 0x41), (0x1F130, 0x41), (0x1F150, 0x41), (0x1F170, 0x41))
_SMALL_CAPITALS = dict(zip("ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢ", "abcdefghijklmnoprstuvwyz", strict=True))

# Nobody sees these. The faint ones are at home in honest text too: emoji, right-to-left scripts,
# Persian and Hindi, so only between two letters do they hide anything.
_FAINT = "\u200c-\u200f\ufe00-\ufe0f"
_UNSEEN = (
    "\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u202a-\u202e\u2060-\u206f\u3164\ufeff"
    "\uffa0\ufff9-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0100-\U000e01ef"
)
_LETTER = "A-Za-z\u00c0-\u024f\u0370-\u0481\u048a-\u052f"
_MARK = "\u0300-\u036f\u0483-\u0489\u1dc0-\u1dff\u20d0-\u20dc\u20e5-\u20ea"
_OVERLAY = "\u0332-\u0338\u0305\u20d2\u20d3\u20e5-\u20ea"
_TAG = "\U000e0001\U000e0020-\U000e007f"
_BLACK_FLAG = "\U0001f3f4"

# Letters of other scripts drawn as a Latin one. Some only nearly so: they count in a word that
# holds Latin letters too.
LOOKALIKES = str.maketrans(
    "АВЕЅІЈКМНОРСТУХҮаеорсухіјѕһԁԛԝкмтпгвнѵүҽΑΒΕΖΗΙΚΜΝΟΡΤΥΧαειικνορτυχγηωօոսհցϹϲϳ",
    "ABESIJKMHOPCTYXYaeopcyxijshdqwkmtnrbhvyeABEZHIKMNOPTYXaeiikvoptuxynwonuhgCcj",
)
_LOOK = "".join(map(chr, LOOKALIKES))
_MIXED = re.compile(f"[{_LOOK}](?:(?<=[A-Za-z].)|(?=[A-Za-z]))")
_WORD = re.compile(f"(?<![^\\W\\d_])[A-Za-z{_LOOK}]+(?![^\\W\\d_])")
_OTHER_SCRIPT = re.compile(f"[^\\W\\d_A-Za-z\u00aa-\u024f{_LOOK}]")
OTHER_SCRIPT_SHARE_MAX = 0.1  # of the characters; a Russian text's short words are not Latin


def _spelled() -> dict[str, str]:
    """What each styled letter is in plain letters."""
    honest = {point for first, last in _HONEST for point in range(first, last + 1)}
    plain = dict(_SMALL_CAPITALS)
    for first, last in _COMPATIBILITY:
        for point in range(first, last + 1):
            if point in honest or not (point < 0xD800 or point > 0xDFFF):
                continue
            folded = unicodedata.normalize("NFKC", chr(point))
            if folded != chr(point) and folded.isascii() and folded.isalpha():
                plain[chr(point)] = folded
    for first, letter in _ENCLOSED:
        plain |= {chr(first + k): chr(letter + k) for k in range(26)}
    return plain


STYLED = _spelled()
# Signs and digits say nothing by themselves (Chinese is full of wide ones), so they are made plain
# only where something else is.
_SIGNS = {chr(0xFEE0 + k): chr(k) for k in range(0x21, 0x7F)} | {"\u3000": " ", "\u00a0": " "}
_DIGITS = {chr(0x1D7CE + k): str(k % 10) for k in range(50)}
_TAGS = {chr(0xE0000 + k): chr(k) for k in range(0x20, 0x7F)} | {
    "\U000e0001": " ",
    "\U000e007f": " ",
}
_PLAIN = {ord(c): plain for c, plain in (_SIGNS | _DIGITS | STYLED | _TAGS).items()}
_FLAG = re.compile(f"{_BLACK_FLAG}([{_TAG}]{{3,6}}\U000e007f)")
(_ASCII, _STYLED, _UNSEEN_BIT, _FAINT_BIT, _LETTER_BIT, _MARK_BIT, _OVERLAY_BIT) = (
    1 << k for k in range(7)
)
_TAG_BIT, _LOOK_BIT = 1 << 7, 1 << 8


def _members(pattern: str) -> Iterable[int]:
    """Code points of the inside of a character class."""
    for part in re.findall("(.)(?:-(.))?", pattern, re.DOTALL):
        yield from range(ord(part[0]), ord(part[1] or part[0]) + 1)


def _kind_table() -> NDArray[np.uint16]:
    """uint16[0x110000]: the bits above of each code point."""
    table = np.zeros(0x110000, dtype=np.uint16)
    for pattern, bit in (
        ("A-Za-z", _ASCII),
        ("".join(STYLED), _STYLED),
        (_UNSEEN, _UNSEEN_BIT),
        (_FAINT, _FAINT_BIT),
        (_LETTER, _LETTER_BIT),
        (_MARK, _MARK_BIT),
        (_OVERLAY, _OVERLAY_BIT),
        (_TAG, _TAG_BIT),
    ):
        table[list(_members(pattern))] |= np.uint16(bit)
    table[list(LOOKALIKES)] |= np.uint16(_LOOK_BIT)
    return table


KIND_OF = _kind_table()
_ODD = _STYLED | _UNSEEN_BIT | _FAINT_BIT | _MARK_BIT | _TAG_BIT
_GAPS = np.array([ord(c) for c in " .-"], dtype=np.uint32)


def plain_characters(text: str) -> tuple[str, NDArray[np.int32]] | None:
    """
    *text* with its characters made plain, and where each came from; None if none is a disguise.

    The offsets have one entry more than the text: its end. Linear; any text, surrogates included.
    """
    if text.isascii():
        return None
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    kind = KIND_OF[points]
    held = int(np.bitwise_or.reduce(kind))
    if held & _ODD and _is_disguised(text, points, kind):
        kept, at = _folded(text, points, kind)
        return plain_lookalikes(kept), at
    mixed = _ASCII | _LOOK_BIT
    if held & mixed != mixed or not ((kind[:-1] | kind[1:]) & mixed == mixed).any():
        return None
    latin = plain_lookalikes(text)
    return None if latin is text else (latin, np.arange(len(text) + 1, dtype=np.int32))


def _is_disguised(text: str, points: NDArray[np.uint32], kind: NDArray[np.uint16]) -> bool:
    """Whether something odd stands where it hides a word, not where honest text has it."""
    left, right = kind[:-1], kind[1:]
    either = left | right
    styled = (left & right & _STYLED) | ((either & _STYLED != 0) & (either & _ASCII))
    apart = (kind[:-2] & kind[2:] & _STYLED != 0) & np.isin(points[1:-1], _GAPS)
    unseen = (either & _UNSEEN_BIT != 0) & (either & _LETTER_BIT != 0)
    unseen[:1] &= points[0] != 0xFEFF  # a byte order mark
    if styled.any() or apart.any() or unseen.any() or _is_noisy(kind):
        return True
    seen = kind[kind & _FAINT_BIT == 0] & _LETTER_BIT
    letters = np.flatnonzero(kind & _FAINT_BIT == 0)
    faint = (seen[:-1] & seen[1:] != 0) & (np.diff(letters) > 1)
    if faint.any():
        return True
    in_flags = sum(m.end(1) - m.start(1) for m in _FLAG.finditer(text))
    return int(np.count_nonzero(kind & _TAG_BIT)) > in_flags


def _is_noisy(kind: NDArray[np.uint16]) -> bool:
    """Whether letters are struck through, or carry more marks than any language does."""
    struck = (kind[:-1] & _LETTER_BIT != 0) & (kind[1:] & _OVERLAY_BIT != 0)
    marks = kind & _MARK_BIT
    heaped = (kind[:-3] & _LETTER_BIT != 0) & (marks[1:-2] & marks[2:-1] & marks[3:] != 0)
    return bool(struck.any() or heaped.any())


def plain_lookalikes(text: str) -> str:
    """
    *text*, as long as it was, with look-alikes made Latin in words that mix scripts.

    Words all of look-alikes follow where another word mixes and the text is in no other script.
    """
    if not _MIXED.search(text):
        return text
    whole = len(_OTHER_SCRIPT.findall(text)) <= OTHER_SCRIPT_SHARE_MAX * len(text)

    def latin(word: re.Match[str]) -> str:
        seen = word.group()
        return seen.translate(LOOKALIKES) if whole or _MIXED.search(seen) else seen

    return _WORD.sub(latin, text)


def _folded(
    text: str, points: NDArray[np.uint32], kind: NDArray[np.uint16]
) -> tuple[str, NDArray[np.int32]]:
    """Styled letters, tags and signs made plain, and what nobody sees dropped."""
    letter = np.concatenate(([False], kind & _LETTER_BIT != 0, [False]))
    joins = ((points == 0x200C) | (points == 0x200D)) & ~(letter[:-2] & letter[2:])
    dropped = (kind & (_UNSEEN_BIT | _FAINT_BIT) != 0) & ~joins
    if _is_noisy(kind):
        dropped |= kind & _MARK_BIT != 0
    for flag in _FLAG.finditer(text):
        dropped[flag.start(1) : flag.end(1)] = True
    places = np.flatnonzero(~dropped).astype(np.int32)
    # What was hidden in tags begins a word of its own, and ends one.
    tagged = np.concatenate(([0], kind[places] & _TAG_BIT))
    parts: list[str] = []
    at: list[NDArray[np.int32]] = []
    bounds = np.flatnonzero(np.diff(tagged)).tolist()
    for start, end in zip([0, *bounds], [*bounds, len(places)], strict=True):
        if start == end:  # the very first is in a tag
            continue
        part = points[places[start:end]].tobytes().decode("utf-32-le", "surrogatepass")
        plain = part.translate(_PLAIN)
        came = places[start:end]
        if len(plain) != len(part):
            came = came.repeat([len(_PLAIN.get(ord(c), c)) for c in part])
        if start in bounds:
            plain, came = " " + plain, np.concatenate((came[:1], came))
        parts.append(plain)
        at.append(came)
    at.append(np.array([len(text)], dtype=np.int32))
    return "".join(parts), np.concatenate(at)
