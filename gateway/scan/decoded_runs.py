"""Find runs of codes in a text, and undo one layer: base64, hex, URL, HTML, escapes, Morse."""

from __future__ import annotations

import base64
import binascii
import html
import re
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import unquote

import numpy as np
from numpy.typing import NDArray

from gateway.scan.normal_traces import BASE64_RUN_MIN, Traces
from kernels import normal as kernel

RUN_CHARS_MAX = 65_536  # of one run that are decoded
PRINTABLE_SHARE_MIN = 0.95  # of the characters of what was decoded
_BASE64 = re.compile(r"(?<![\w+/-])[\w+/-]{16,}+(?:\r?\n[\w+/-]{4,}+)*+={0,2}", re.ASCII)
_PARTS = re.compile(r"[^/+_\n-]{16,}")
_HEX = re.compile(r"(?:0x)?((?:[0-9a-fA-F]{2}){8,})")
_LINE = r"(?:\|[^|\n]{0,20}\|)?\r?\n[ \t]{0,4}+(?:[0-9a-fA-F]{4,8}:?[ \t]{1,3})?"  # of a dump
_BETWEEN = rf"(?:[ ,:;-]{{1,2}}+(?:{_LINE})?|{_LINE})"
_HEX_PAIRS = re.compile(
    r"(?<![0-9A-Za-z])(?:0x)?[0-9a-fA-F]{2}"
    rf"(?:{_BETWEEN}(?:0x)?[0-9a-fA-F]{{2}}(?![0-9a-zA-Z])){{7,}}+"
)
_LINE_START = re.compile(_LINE)
_PAIR = re.compile(r"(?<![0-9a-wyzA-WYZ])[0-9a-fA-F]{2}(?![0-9a-zA-Z])")
_BINARY = re.compile(r"(?<!\d)[01]{8}(?:[ ,\n]?[01]{8}){3,}+(?!\d)")
_DECIMAL = re.compile(r"(?<!\d)\d{2,3}(?:(?:, ?| )\d{2,3}){7,}+(?!\d)")
_MORSE = re.compile(r"(?<![^\s])[.·-]{1,6}(?:[ /|\n]{1,3}+[.·-]{1,6}){5,}+(?!\S)")
_URL = re.compile(r"(?<!\S)(?:[^\s%]|%(?![0-9A-Fa-f]{2}))*+%[0-9A-Fa-f]{2}\S*+")
_URL_CODE = re.compile(r"%[0-9A-Fa-f]{2}")
CODES_MIN = 3  # in a run: one or two are a slip, or a link
_ENTITY = r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z]{2,8});"
_ESCAPE = (
    r"\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|u\{[0-9a-fA-F]{1,6}\}|U[0-9a-fA-F]{8}|[0-1][0-7]{2})"
)
_ENTITIES = re.compile(rf"{_ENTITY}(?:[^&]{{0,64}}+{_ENTITY})*+")
_ESCAPES = re.compile(rf"{_ESCAPE}(?:[^\\]{{0,64}}+{_ESCAPE})*+")
_ONE_ENTITY, _ONE_ESCAPE = re.compile(_ENTITY), re.compile(_ESCAPE)
_SELECTORS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]{8,}")
_MORSE_CODES = (
    ".- -... -.-. -.. . ..-. --. .... .. .--- -.- .-.. -- -. --- .--. --.- .-. ... - ..- ...- "
    ".-- -..- -.-- --.. ----- .---- ..--- ...-- ....- ..... -.... --... ---.. ----. .-.-.- "
    "--..-- ..--.. .----."
)
_MORSE_LETTERS = dict(
    zip(_MORSE_CODES.split(), "abcdefghijklmnopqrstuvwxyz0123456789.,?'", strict=True)
)


class Run(NamedTuple):
    """A run of codes in a text and what it says; *end* exclusive."""

    how: str
    start: int
    end: int
    text: str


def runs_of(text: str, traces: Traces) -> Iterator[Run]:
    """Every run of *text* that its traces promise and that decodes to printable text."""
    if traces.escaped:
        yield from _url(text)
        yield from _substituted("html", text, _ENTITIES, _ONE_ENTITY)
        yield from _substituted("escapes", text, _ESCAPES, _ONE_ESCAPE)
    yield from _base64(text, traces.raw)
    if traces.hexadecimal:
        yield from _numbers(text)
    if traces.morse:
        yield from _morse(text)
    if traces.selectors:
        for run in _SELECTORS.finditer(text):
            yield from _from_bytes("selectors", run.start(), run.end(), _selected(run.group()))


def printable(data: bytes) -> str | None:
    """*data* as text, UTF-8 or UTF-16 of Latin letters; None where it is none."""
    data = data[:RUN_CHARS_MAX]
    if data.count(0) * 3 > len(data) and not any(data[1::2]):
        data = data[0::2]
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(data) - 3:  # else only the last character was cut
            return None
        text = data[: error.start].decode("utf-8")
    seen = sum(c.isprintable() or c in "\n\r\t" for c in text)
    return text if text and seen >= PRINTABLE_SHARE_MIN * len(text) else None


def _from_bytes(how: str, start: int, end: int, data: bytes) -> Iterator[Run]:
    text = printable(data)
    if text is not None:
        yield Run(how, start, end, text)


def _base64(text: str, raw: NDArray[np.uint8]) -> Iterator[Run]:
    """Base64 of either alphabet, with padding or without, wrapped or not; and hex, its subset."""
    at = 0
    while (start := kernel.next_run(raw, kernel.BASE64, BASE64_RUN_MIN, at)) >= 0 and (
        found := _BASE64.match(text, start)
    ):
        at, run = found.end(), found.group()[:RUN_CHARS_MAX]
        digits = _HEX.fullmatch(run)
        if digits and len(digits[1]) % 2 == 0:
            yield from _from_bytes("hex", start, found.end(), bytes.fromhex(digits[1]))
        whole = printable(_unpadded("".join(run.split())))
        if whole is not None:
            yield Run("base64", start, found.end(), whole)
            continue
        for part in _PARTS.finditer(run):  # a path, a list: one of its parts may be code
            inner = part.group().rstrip("=")
            digits = _HEX.fullmatch(inner)
            how, data = "base64", _unpadded(inner)
            if digits and len(digits[1]) % 2 == 0:
                how, data = "hex", bytes.fromhex(digits[1])
            yield from _from_bytes(how, start + part.start(), start + part.end(), data)


def _unpadded(run: str) -> bytes:
    """What base64 *run* decodes to; a left-over character is cut off. Nothing if it is none."""
    run = run.rstrip("=").replace("-", "+").replace("_", "/")
    run = run[: len(run) - (len(run) % 4 == 1)]
    try:
        return base64.b64decode(run + "=" * (-len(run) % 4))
    except binascii.Error:
        return b""


def _numbers(text: str) -> Iterator[Run]:
    """Bytes written as hex pairs, as eight binary digits or as decimal numbers."""
    for run in _HEX_PAIRS.finditer(text):
        pairs = _PAIR.findall(_LINE_START.sub(" ", run.group()[:RUN_CHARS_MAX]))
        yield from _from_bytes("hex", run.start(), run.end(), bytes.fromhex("".join(pairs)))
    for run in _BINARY.finditer(text):
        digits = re.sub("[^01]", "", run.group()[:RUN_CHARS_MAX])
        data = bytes(int(digits[i : i + 8], 2) for i in range(0, len(digits) - 7, 8))
        yield from _from_bytes("binary", run.start(), run.end(), data)
    for run in _DECIMAL.finditer(text):
        codes = [int(code) for code in re.findall(r"\d+", run.group()[:RUN_CHARS_MAX])]
        if max(codes) < 256:
            yield from _from_bytes("decimal", run.start(), run.end(), bytes(codes))


def _morse(text: str) -> Iterator[Run]:
    for run in _MORSE.finditer(text):
        signs = run.group()[:RUN_CHARS_MAX].replace("·", ".")
        words = (
            "".join(_MORSE_LETTERS.get(letter, "") for letter in word.split())
            for word in re.split(r"[/|]| {3}|\n", signs)
        )
        said = " ".join(filter(None, words))
        if said:
            yield Run("morse", run.start(), run.end(), said)


def _url(text: str) -> Iterator[Run]:
    for run in _URL.finditer(text):
        codes = run.group()[:RUN_CHARS_MAX]
        if len(_URL_CODE.findall(codes)) < CODES_MIN:
            continue
        said = unquote(codes, errors="replace")
        yield Run("url", run.start(), run.end(), said if " " in said else said.replace("+", " "))


def _substituted(
    how: str, text: str, cluster: re.Pattern[str], code: re.Pattern[str]
) -> Iterator[Run]:
    """Clusters of codes that stand for letters, to the bounds of the words they stand in."""
    for found in cluster.finditer(text):
        run = found.group()[:RUN_CHARS_MAX]
        letters = sum(_meaning(c).isalpha() for c in code.findall(run))
        if letters < CODES_MIN:
            continue
        start, end = found.span()
        while start > 0 and found.start() - start < 32 and not text[start - 1].isspace():
            start -= 1
        while end < len(text) and end - found.end() < 32 and not text[end].isspace():
            end += 1
        whole = text[start : min(end, start + RUN_CHARS_MAX)]
        yield Run(how, start, end, code.sub(lambda m: _meaning(m.group()), whole))


def _meaning(code: str) -> str:
    """The character that an entity or an escape stands for, or the code itself."""
    if code.startswith("&"):
        return html.unescape(code)
    digits = code[2:].strip("{}") if code[1] in "xuU" else code[1:]
    point = int(digits, 16 if code[1] in "xuU" else 8)
    return chr(point) if point <= 0x10FFFF else code


def _selected(run: str) -> bytes:
    """Bytes written as variation selectors: 1 to 16, then 17 to 256."""
    points = map(ord, run)
    return bytes(p - 0xFE00 if p < 0xFFFF else p - 0xE0100 + 16 for p in points)
