"""Payment cards, IBAN, social security and account numbers, told from look-alikes."""

from __future__ import annotations

import re
from collections.abc import Iterable

from gateway.scan.checksums import IBAN_LENGTHS, is_card, passes_luhn, passes_mod97
from gateway.scan.personal_context import (
    GOODS,
    NEAR,
    Hit,
    Words,
    around,
    before,
    is_goods,
    is_inside_word,
    labelled,
    value_behind,
)

_GROUPS = re.compile(r"\d+")
_CARD_WORDS = Words(
    "card cards cc pan visa mastercard mc amex maestro jcb diners discover debit credit karte"
    " karten kartennummer kreditkart* carte cartes tarjeta tarjetas carta cartão cartao creditcard"
    " kaart kaartnummer kart kartı kartım karta karty kartą kartę kortti kort kortnummer карта"
    " карты карту картой",
    "カード 卡 카드",
)
_CARD_GROUPS = ((4, 4, 4, 4), (4, 6, 5), (4, 6, 4), (4, 4, 4, 4, 3), (6, 13), (4, 4, 4, 1))
_IBAN_WORD = re.compile(r"iban", re.IGNORECASE)
_SSN_WORDS = Words("ssn ssns ss social soc tin itin taxpayer socialsecurity")
_SSN = labelled(r"\d{3}[- .]?\d{2}[- .]?\d{4}")
_ACCOUNT = labelled(r"(?:[A-Z]{1,4}-?|(?-i:[A-Z]{1,4}) )?\d(?:[- ./]?\d){3,17}(?:-?[A-Z0-9])?")
_ROUND = re.compile(r"\d{1,3}(?:[ .]\d{3})+|(?:19|20)\d\d(?: ?[-/] ?\d{2,4})?")
_AMOUNT = re.compile(
    r"[.,]\d|元|円|원|\s?(?:%|€|\$|£|(?:eur|usd|gbp|days|times|users|rows)\b)", re.IGNORECASE
)
_DATE = re.compile(r"(?:19|20)\d\d[-./]\d\d?[-./]\d\d?|\d\d?[-./]\d\d?[-./](?:19|20)\d\d")


def card(text: str, start: int, end: int) -> Iterable[Hit]:
    """Payment cards in a run of digit groups: issuer, length, Luhn and the usual grouping."""
    groups = [group.span() for group in _GROUPS.finditer(text, start, end)]
    for first, (left, _) in enumerate(groups):
        digits, sizes = "", []
        for opening, closing in groups[first:]:
            digits += text[opening:closing]
            sizes.append(closing - opening)
            if len(digits) > 19:
                break
            usual = len(sizes) == 1 or tuple(sizes) in _CARD_GROUPS
            fits = len(digits) >= 12 and usual and passes_luhn(digits)
            if fits and _is_free(text, left, closing, issued=is_card(digits)):
                yield Hit(left, closing)
                return


def _is_free(text: str, start: int, end: int, *, issued: bool) -> bool:
    """
    Whether a number that passes Luhn is not said to be something else. One that no known network
    has *issued* must be called a card.
    """
    if is_inside_word(text, start, end):
        return False
    context = before(text, start, NEAR)
    named, goods = _CARD_WORDS.last(context), GOODS.last(context)
    if named < 0:
        return issued and goods < 0 and (end - start not in (12, 13) or text[start] == "4")
    return named > goods


def iban(text: str, start: int, end: int) -> Iterable[Hit]:
    """An IBAN, cut to its country's length; a wrong checksum passes behind the word itself."""
    country = text[start : start + 2].upper()
    size = IBAN_LENGTHS.get(country)
    if size is None or (start and text[start - 1].isascii() and text[start - 1].isalnum()):
        return
    compact, at = "", start
    while at < end and len(compact) < size:
        if text[at].isalnum():
            compact += text[at]
        at += 1
    digits = sum(sign.isdigit() for sign in compact)
    cut = text[at : at + 1].isalnum() and text[at : at + 1].isascii()
    if len(compact) < size or cut or digits < size // 2:
        return
    if passes_mod97(compact.upper()):
        yield Hit(start, at)
    elif _IBAN_WORD.search(before(text, start)) is not None:
        yield Hit(start, at, 0.7)


def ssn(text: str, start: int, end: int) -> Iterable[Hit]:
    """
    NNN-NN-NNNN standing alone. Numbers that were never issued count: people mistype, and forms
    are filled with published examples. Spaces instead of dashes need the words nearby.
    """
    if is_inside_word(text, start, end) or text[start : start + 3] == "000":
        return
    named = _SSN_WORDS.among(around(text, start, end))
    if named or (text[start + 3] == "-" and not is_goods(text, start)):
        yield Hit(start, end, 1.0 if named else 0.8)


def ssn_labelled(text: str, _start: int, end: int) -> Iterable[Hit]:
    """Nine digits, however grouped, behind "SSN"."""
    found = value_behind(_SSN, text, end)
    if found is not None:
        yield Hit(*found.span())


def account(text: str, _start: int, end: int) -> Iterable[Hit]:
    """The number behind the word for a bank or customer account, and one more behind it."""
    found = value_behind(_ACCOUNT, text, end)
    if found is None:
        return
    left, right = found.span()
    digits = sum(sign.isdigit() for sign in found[0])
    if digits >= 5 and _is_no_amount(text, left, right):
        yield Hit(left, right, 0.9)


def _is_no_amount(text: str, start: int, end: int) -> bool:
    """Whether a number is neither an amount of money or things, nor a date."""
    if _AMOUNT.match(text, end) is not None or _DATE.match(text, start) is not None:
        return False
    return text[max(0, start - 1) : start] not in tuple("$€£¥") and not _ROUND.fullmatch(
        text, start, end
    )
