"""Naive twin of kernels/text.py: one simple pass for each thing that is counted."""

from __future__ import annotations

import itertools
import re

CLASSES = (
    *("LATIN", "LATIN_UPPER", "LATIN_MARKED", "CYRILLIC", "GREEK", "HAN"),
    *("KANA", "HANGUL", "ARABIC", "HEBREW", "DEVANAGARI", "BENGALI"),
    *("THAI", "OTHER_LETTER", "SPACE", "PUNCTUATION", "QUESTION", "CODE"),
    *("SYMBOL", "INVALID", "DIGIT", "NEWLINE", "MATH"),
)
SHAPES = (
    *("DIGIT_GROUPS", "OPERATORS", "CODE_LINES", "INDENTED_LINES", "FENCES", "LIST_ITEMS"),
    *("ARITHMETIC", "TEX_COMMANDS"),
)
LETTERS = CLASSES[:14]

# For every class the code points in it, "first-last" in hexadecimal; classes further down win.
BLOCKS = """
SYMBOL 0-FFFF
OTHER_LETTER 530-58F 700-74F 780-8FF A00-DFF E80-10FF 1200-1C7F 1C90-1CFF
OTHER_LETTER A000-A63F A6A0-A71F A800-ABFF
LATIN_MARKED AA-AA BA-BA C0-D6 D8-F6 F8-36F 1D00-1EFF A720-A7FF FB00-FB1C FF21-FF3A FF41-FF5A
CYRILLIC 400-52F 1C80-1C8F A640-A69F
GREEK B5-B5 370-3FF 1F00-1FFF
HEBREW 590-5FF FB1D-FB4F
ARABIC 600-6FF 750-77F FB50-FDFF FE70-FEFE
DEVANAGARI 900-97F
BENGALI 980-9FF
THAI E00-E7F
HANGUL 1100-11FF 3130-318F AC00-D7FF
KANA 3040-30FF 31F0-31FF FF65-FF9F
HAN 2E80-2FDF 3005-3007 3100-312F 3400-4DBF 4E00-9FFF F900-FAFF
PUNCTUATION A1-A9 AB-B0 B4-B4 B6-B9 BB-BB 2010-2027 2030-205E 3001-3004 3008-303F
PUNCTUATION FE10-FE1F FE30-FE6F
PUNCTUATION FF01-FF0F FF1A-FF20
MATH B1-B3 D7-D7 F7-F7 2070-209F 2200-22FF 2A00-2AFF
SPACE 0-9 B-20 A0-A0 2000-200A 202F-202F 3000-3000
NEWLINE A-A 2028-2029
DIGIT 30-39 FF10-FF19
PUNCTUATION 21-2F 3A-40 5B-60 7B-7E
LATIN 61-7A
LATIN_UPPER 41-5A
CODE 7B-7B 7D-7D 3B-3C 3E-3E 7C-7C 26-26 5F-5F 5B-5B 5D-5D 60-60 7E-7E
MATH 2B-2B 2A-2A 5E-5E 3D-3D 5C-5C
QUESTION 3F-3F FF1F-FF1F 61F-61F 37E-37E 55E-55E BF-BF 1367-1367 2047-2049 203D-203D FE56-FE56
"""


def class_of(point: int) -> str:
    """Name of the class of a code point."""
    if point > 0xFFFF:
        if 0x1D400 <= point < 0x1D800:
            return "MATH"
        return "HAN" if 0x20000 <= point < 0x40000 else "SYMBOL"
    found = ""
    for line in BLOCKS.strip().splitlines():
        name, *ranges = line.split()
        for block in ranges:
            first, last = (int(bound, 16) for bound in block.split("-"))
            if first <= point <= last:
                found = name
    return found


def characters(text: bytes) -> list[tuple[int, int, str]]:
    """Offset, length and class of every character; surrogates and overlong forms are characters."""
    found, at = [], 0
    while at < len(text):
        match = re.match(
            rb"[\x00-\x7f]|[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}",
            text[at : at + 4],
            re.DOTALL,
        )
        if match is None:
            found.append((at, 1, "INVALID"))
            at += 1
            continue
        lead, *others = match[0]
        point = lead & (0x7F, 0x1F, 0x0F, 0x07)[len(others)]
        for other in others:
            point = point << 6 | other & 0x3F
        found.append((at, len(match[0]), class_of(point)))
        at += len(match[0])
    return found


def group(name: str) -> str:
    """What makes one run with its neighbours."""
    if name in LETTERS:
        return "letters"
    if name in ("SPACE", "NEWLINE"):
        return "white"
    return "digits" if name == "DIGIT" else "signs"


def line_start(rest: bytes) -> dict[str, int]:
    """What the line that *rest* begins with opens with."""
    indent = re.match(rb"[ \t]{0,64}", rest)[0]
    body = rest[len(indent) :]
    if len(body) < 2 or body[0] <= 0x20:
        return {}
    fence = body.startswith((b"```", b"~~~"))
    item = not fence and re.match(rb"[-*+] |\xe2\x80\xa2|[0-9]{1,3}[.)] ", body)
    return {
        "INDENTED_LINES": int(len(indent) >= 2 or indent.startswith(b"\t")),
        "FENCES": int(fence),
        "LIST_ITEMS": int(bool(item)),
    }


def sign(text: bytes, at: int, width: int) -> dict[str, int]:
    """What the MATH sign of *width* bytes at *at* means."""
    if text[at] == ord("\\"):
        tex = re.match(rb"\\(?:[A-Za-z]{2}|[(\[].)", text[at : at + 3], re.DOTALL)
        return {"TEX_COMMANDS": int(tex is not None)}
    before = text[:at]
    if len(before) > 1:
        before = before.removesuffix(b" ")
    behind = text[at + width :].lstrip(bytes(range(0x80, 0xC0)))
    digits = bool(re.search(rb"[0-9]\Z", before)) + bool(re.match(rb" ?[0-9]", behind))
    operator = re.match(rb"\xe2[\x88-\x8b]|\xf0", text[at : at + 2]) is not None
    return {"ARITHMETIC": digits + operator}


def count_text(text: bytes) -> list[int]:
    """All counts of *text*: characters by class, runs by class, shapes."""
    found = characters(text)
    total = dict.fromkeys([*CLASSES, *(f"run {name}" for name in CLASSES), *SHAPES], 0)
    starts = [0, *(at + width for at, width, name in found if name == "NEWLINE")]
    facts = [line_start(text[start:]) for start in starts]
    before = "NEWLINE"
    for at, width, name in found:
        total[name] += 1
        total[f"run {name}"] += group(name) != group(before)
        signs = name in ("CODE", "MATH") and before in ("CODE", "MATH", "PUNCTUATION")
        total["OPERATORS"] += signs
        total["CODE_LINES"] += name == "NEWLINE" and text[:at].endswith((b";", b"{", b"}"))
        if name == "MATH":
            facts.append(sign(text, at, width))
        before = name
    for name, same in itertools.groupby(found, key=lambda character: character[2]):
        if name == "DIGIT":
            total["DIGIT_GROUPS"] += -(-len(list(same)) // 3)
    for fact in facts:
        for name, times in fact.items():
            total[name] += times
    return list(total.values())
