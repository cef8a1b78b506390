"""Keys and tokens: their providers' shapes, JSON web tokens, private keys, random values."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterable

from gateway.scan.checksums import entropy
from gateway.scan.personal_context import Hit

PRIVATE_KEY_CHARS_MAX = 16_384  # an RSA key of 16,384 bits has 12,700
BITS_MIN = 3.0  # per character of a value that passes for random
_REPEATED = re.compile(r"(.)\1{5,}|\.\.\.|(?:\*|x){4,}", re.IGNORECASE)
_TEMPLATE = re.compile(
    r"your|placeholder|changeme|change[-_]me|replace|redacted|dummy|insert|todo|example[-_]?key"
    r"|my[-_]?(?:api|secret|token)|0123456789|1234567890|abcdefghij|[<>{}$]",
    re.IGNORECASE,
)
_AWS_EXAMPLE = re.compile(r"EXAMPLE(?:KEY)?$")  # the keys of Amazon's own documentation
_BODY = re.compile(r"(?:[A-Za-z0-9+/=:, -]|\\[nr]|[\r\n\t])*")
_ASSIGNED = re.compile(
    r"[\"'`\])]{0,2}(?:\s{0,4}(?:=>|:=|[:=])\s{0,4}|\s(?:is|was|ist|est|es|è|é|jest|->)\s{1,2}:?\s?|\s{1,2})"
    r"(?:bearer |basic |token |key )?[\"'`(]{0,2}([A-Za-z0-9+/_.~-]{16,1024}={0,2})",
    re.IGNORECASE,
)
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_CODE = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+|[a-z]+(?:[-_/.][a-z]+)*|[A-Z]+(?:_[A-Z]+)*")
_PATH = re.compile(r"(?:[\w.-]*/){2,}[\w.-]*\.\w{1,5}|https?")


def known_key(text: str, start: int, end: int) -> Iterable[Hit]:
    """A token of a provider's shape that stands alone and is no template of one."""
    lead = text[max(0, start - 1) : start]
    tail = text[end : end + 1]
    if (lead.isascii() and lead.isalnum()) or lead == "_" or (tail.isascii() and tail.isalnum()):
        return
    value = text[start:end]
    if not is_template(value):
        yield Hit(start, end)


def is_template(value: str) -> bool:
    """Whether *value* shows where a key belongs instead of being one."""
    if _REPEATED.search(value) is not None:
        return True
    return _TEMPLATE.search(value) is not None and _AWS_EXAMPLE.search(value) is None


def aws_secret(text: str, start: int, end: int) -> Iterable[Hit]:
    """The 40 characters behind the name of Amazon's secret access key."""
    found = _ASSIGNED.match(text, end)
    if found is not None and len(found[1]) == 40 and not is_template(found[1]):
        yield Hit(*found.span(1))


def random_value(text: str, _start: int, end: int) -> Iterable[Hit]:
    """A value behind a word for a key or a token that is too random to be a word or a path."""
    found = _ASSIGNED.match(text, end - (text[end - 1] == "="))
    if found is not None and is_random(found[1]):
        left, right = found.span(1)
        while text[right - 1] in ".-~":
            right -= 1
        yield Hit(left, right, 0.9)


def is_random(value: str) -> bool:
    """Whether *value* looks drawn by chance: letters and digits mixed, with much entropy."""
    if _UUID.fullmatch(value) is not None:
        return True
    digits = sum(sign.isdigit() for sign in value)
    letters = sum(sign.isalpha() for sign in value)
    if digits < 2 or letters < 4 or is_template(value):
        return False
    if _CODE.fullmatch(value) is not None or _PATH.match(value) is not None:
        return False
    return entropy(value) >= BITS_MIN


def json_web_token(text: str, start: int, end: int) -> Iterable[Hit]:
    """Three parts of base64url, the first of them a JSON object that names its algorithm."""
    head = text[start:end].partition(".")[0]
    try:
        header = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        return
    if isinstance(header, dict) and ("alg" in header or "enc" in header):
        yield Hit(start, end)


def private_key(text: str, start: int, end: int) -> Iterable[Hit]:
    """
    From the first dashes to the last, across line breaks or their escapes; a block that is cut
    off ends where its base64 does. A heading without any base64 is only spoken of.
    """
    limit = min(len(text), end + PRIVATE_KEY_CHARS_MAX)
    body = _BODY.match(text, end, limit)
    stop = end if body is None else body.end()
    closing = text.find("-----END", end, stop + 8)
    if closing < 0:
        while stop > end and not (text[stop - 1].isalnum() or text[stop - 1] in "+/="):
            stop -= 1
        if stop - end >= 40 and len(text[end:stop].split(" ")) < 4 + (stop - end) // 40:
            yield Hit(start, stop)
        return
    if sum(sign.isalnum() for sign in text[end:closing]) < 16:
        return
    dashes = text.find("-----", closing + 8, closing + 80)
    yield Hit(start, closing + 8 if dashes < 0 else dashes + 5)
