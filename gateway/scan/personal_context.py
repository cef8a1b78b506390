"""The words around a candidate, in the languages whose texts we see most."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

NEAR = 60  # characters before a candidate that may say what it is
FAR = 100  # the same for words that say that it is something else
HEADING_CHARS = 2000  # before a value that the heading of its column may be
DELIMITERS = ",;\t|"


class Hit(NamedTuple):
    """A span of personal data: characters *start* to *end*, exclusive; *score* from 0 to 1."""

    start: int
    end: int
    score: float = 1.0


# A check looks at the candidate from *start* to *end* in *text*, and around it.
Check = Callable[[str, int, int], Iterable[Hit]]

_WORD = re.compile(r"[^\W\d_]+")
_DIGIT = re.compile(r"[0-9]")


class Words:
    """
    Words to look for around a candidate: whole ones, beginnings (``bestell*``), and what is
    written without spaces, which counts anywhere in a text that is not ASCII.
    """

    def __init__(self, words: str, unspaced: str = "") -> None:
        listed = words.split()
        self._whole = frozenset(word for word in listed if not word.endswith("*"))
        self._beginnings = tuple(word[:-1] for word in listed if word.endswith("*"))
        self._unspaced = tuple(unspaced.split())

    def last(self, text: str) -> int:
        """Where the last of them in *text* ends, -1 without one."""
        end = -1
        lower = text.lower()
        if len(lower) != len(text):  # a dotted capital I is two characters in lower case
            lower = text
        for word in _WORD.finditer(lower):
            if word[0] in self._whole or word[0].startswith(self._beginnings):
                end = word.end()
        if self._unspaced and not text.isascii():
            end = max(
                end, *(at + len(one) for one in self._unspaced if (at := lower.rfind(one)) >= 0), -1
            )
        return end

    def among(self, text: str) -> bool:
        """Whether one of them is in *text*."""
        return self.last(text) >= 0


# What an order, a part, a parcel or a program is numbered with.
GOODS = Words(
    "order orders invoice invoices ticket tickets part parts sku serial model models lot lots batch"
    " tracking parcel shipment article articles item items product products drawing catalog"
    " catalogue build builds commit version firmware tag tags booking ref reference po rma docket"
    " case epoch isbn issn ean upc asin doi imei ticker timestamp job hash trace policy cpu port"
    " registration regex arn ndc routing auftrag* bestell* sendung* artikel* rechnung* bauteil*"
    " lieferschein* seriennummer commande colis référence facture pièce pedido lote albarán factura"
    " referencia spedizione articolo ordine fattura lotto filtro fiscal encomenda fatura pakket"
    " framenummer factuur zamówieni* paczk* faktur* toner część sipariş parça kargo заказ* накладн*"
    " артикул* tilaus* ordre* objednávk* inv",
    "注文 追跡 型番 品番 伝票 订单 快递 型号 運單 주문 송장",
)


def before(text: str, start: int, width: int = NEAR) -> str:
    """At most *width* characters before *start*."""
    return text[max(0, start - width) : start]


def around(text: str, start: int, end: int, width: int = NEAR) -> str:
    """*text* from *width* characters before *start* to *width* behind *end*."""
    return text[max(0, start - width) : end + width]


def is_goods(text: str, start: int) -> bool:
    """Whether the words before *start* speak of an order, a part, a parcel or a program."""
    return GOODS.among(before(text, start))


def is_inside_word(text: str, start: int, end: int) -> bool:
    """Whether letters, digits or joining signs of a longer token go on at either side."""
    left, right = text[max(0, start - 2) : start], text[end : end + 2]
    if left and left[-1].isascii() and (left[-1].isalnum() or left[-1] in "_#"):
        return True
    if len(left) == 2 and left[1] in "-./" and left[0].isascii() and left[0].isalnum():
        return True
    if right and right[0].isascii() and (right[0].isalnum() or right[0] == "_"):
        return True
    return len(right) == 2 and right[0] in "-./" and right[1].isascii() and right[1].isalnum()


def labelled(value: str) -> re.Pattern[str]:
    """A pattern for a *value* with a digit in it, for value_behind()."""
    return re.compile(rf"(?:{value})(?![A-Za-z0-9_])", re.IGNORECASE)


def value_behind(
    pattern: re.Pattern[str], text: str, end: int, gap: int = 24
) -> re.Match[str] | None:
    """
    What *pattern* finds behind the label that ends at *end*: where the first digit is, at most
    *gap* characters on and in the same line, or in the next with nothing between. None when the
    label is only the beginning of a word, or when the words between name something else.
    """
    if is_cut(text, end):
        return None
    digit = _DIGIT.search(text, end, end + gap + 8)
    if digit is None:
        return None
    left = digit.start()
    if "\n" in text[end:left] and text[end:left].strip(" \t\r\n:=#\"'*|") != "":
        return None
    while left > end and text[left - 1].isascii() and text[left - 1].isalnum():
        left -= 1
    if left - end > gap or GOODS.among(text[end:left]):
        return None
    for start in (_prefixed(text, left, end), left):
        found = pattern.match(text, start)
        if found is not None:
            return found
    return None


def _prefixed(text: str, left: int, end: int) -> int:
    """Where the value at *left* begins when capitals stand before it: ``QQ 17``, ``H-2209``."""
    if left <= end or text[left - 1] not in " -/":
        return left
    start = left - 1
    while (
        start > end and start > left - 6 and text[start - 1].isascii() and text[start - 1].isupper()
    ):
        start -= 1
    whole = start == end or not text[start - 1].isalnum()
    return start if whole and start < left - 1 else left


def is_cut(text: str, end: int) -> bool:
    """Whether a label that ends at *end* is only the beginning of a word."""
    inner, outer = text[end - 1 : end], text[end : end + 1]
    return outer.isascii() and outer.isalnum() and inner.isascii() and inner.isalnum()


def heading_of(text: str, start: int) -> str:
    """
    The heading of the column of delimited values that *start* is in, or nothing. Looks at most
    HEADING_CHARS back.
    """
    opening = text.rfind("\n", max(0, start - HEADING_CHARS), start) + 1
    if opening == 0:
        return ""
    first = max(text.rfind("\n\n", max(0, start - HEADING_CHARS), start) + 2, 0)
    first = first if first > 1 else 0
    row = text[opening:start]
    sign = max(DELIMITERS, key=row.count)
    place = row.count(sign)
    for line in text[first:opening].split("\n"):
        fields = line.split(sign)
        if len(fields) > max(1, place) and _DIGIT.search(line) is None and len(line) < 400:
            return fields[place]
    return ""
