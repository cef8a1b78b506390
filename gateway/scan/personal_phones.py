"""Telephone numbers, told from orders, dates, amounts and other digits."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import phonenumbers

from gateway.scan.personal_context import FAR, GOODS, NEAR, Hit, Words, before, heading_of

TOUCHING = 16  # characters between a word and the number that it surely means
PARTS_MAX = 10  # of a run of digits and spaces that are looked at
_WORDS = Words(
    "tel tele telephone telephones telefono teléfono teléfonos telefon* telefoon telefax phone"
    " phones phonenumber ph mobile mobiles mob cell cellular cellphone fax faxes call calls"
    " called calling callback caller dial ring sms text texts whatsapp direct landline hotline"
    " contact reach answering messages desk office pager voicemail registered extension msisdn"
    " ruf* anruf* handy* mobil* festnetz durchwahl vorwahl portable appel* joindre téléphone"
    " téléphoner fixe móvil celular llama* llame* línea chiama* cellulare telemóvel telemovel"
    " ligue ligar liga telefone telefones bel bellen mobiel toestel zadzwo* komór* dzwoni* gsm"
    " cep ara arayın puhelin* soita τηλ* тел телефон* звон* позвон* мобильн*",
    "電話 携帯 连系 电话 手机 手機 전화 휴대폰 連絡先 फ़ोन फोन मोबाइल هاتف جوال ☎ 📞 📱 טלפון",
)
_BEHIND = re.compile(
    r"[\s,(-]{0,3}(?:office|mobile|fax|cell|home|work|desk|phone|tel|\(?[mhwcof]\)|büro|privat)\b",
    re.IGNORECASE,
)
_STREET = re.compile(
    r" [A-ZÀ-Ž][\w.'-]*(?: [\w.'-]+){0,3} (?:St|Street|Ln|Lane|Ave|Avenue|Rd|Road|Dr|Drive|Ct|Court"
    r"|Blvd|Way|Terrace|Close|Pl|Place|Square)\b"
)
_NANP = re.compile(
    r"(?:\+?1[ .-]?)?(?:\([2-9]\d\d\) ?[2-9]\d\d[-. ]\d{4}|[2-9]\d\d([-.])[2-9]\d\d\1\d{4})"
    r"(?: ?(?:x|ext\.?) ?\d{1,6})?",
    re.IGNORECASE,
)
_NO_PHONE = re.compile(
    r"(?:19|20)\d\d[-./]\d\d?[-./]\d\d?(?: \d\d?)?|\d\d?[-./]\d\d?[-./](?:19|20)?\d\d"  # dates
    r"|\d+\.\d+|\d{1,3}(?:[. ]000)+|\d{1,3}(?:\.\d{1,3}){3}"  # amounts, addresses
    r"|\d{3}-\d\d-\d{4}|\d{3,4} ?[–—] ?\d{2,4}|(?:1\d|20)\d\d ?- ?(?:1\d|20)\d\d"  # SSN, years
)
# Countries whose national numbers begin with 0 and are asked for without a word beside them.
_TRUNK = ("GB", "DE", "FR", "NL", "TR", "JP", "AU", "BE", "CH", "IT", "SE", "ZA", "AT", "PL")
_BRACKETED = re.compile(r"\(\d{2,5}\) ?\d{3,5}[- .]?\d{3,5}")
_SPACES = re.compile(r"[^ \u00a0]+")
_EXTENSION = re.compile(r" ?(?:x|ext\.?) ?\d{1,6}$", re.IGNORECASE)


def phone(text: str, start: int, end: int) -> Iterable[Hit]:
    """
    The telephone numbers in a run of digits, brackets, dashes, dots and spaces.

    One that begins with + or 00 must be possible in its country; another must have the shape of
    North America, or a trunk 0 and a valid number, or a word for telephone nearby. A word for an
    order or a part that stands nearer refuses it.
    """
    while start < end and text[start] in " .-/)":
        start += 1
    context = before(text, start, FAR)
    goods = GOODS.last(context)
    named = _WORDS.last(context[-NEAR:])
    named += len(context[:-NEAR]) if named >= 0 else 0
    if named < 0 and goods < 0:
        named = _WORDS.last(heading_of(text, start))
    for left, right in _spans(text, start, end):
        if _is_joined(text, left, right):
            continue
        number = text[left:right]
        behind = _BEHIND.match(text, right) is not None
        labelled = named > goods or behind
        refused = goods > (len(context) - TOUCHING if number[0] == "+" else -1) and not behind
        if _is_phone(number, labelled=labelled, refused=refused, behind=behind) and not _is_street(
            text, right
        ):
            yield Hit(left, right, 1.0 if labelled else 0.8)
            return


def _is_street(text: str, end: int) -> bool:
    """Whether the number that ends at *end* is one of a house."""
    return _STREET.match(text, end) is not None


def _spans(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Runs of the parts between spaces that have 7 to 15 digits, the longest first."""
    parts = [part.span() for part in _SPACES.finditer(text, start, end)][:PARTS_MAX]
    for size in range(len(parts), 0, -1):
        for first in range(len(parts) - size + 1):
            left, right = parts[first][0], parts[first + size - 1][1]
            if "  " in text[left:right] or "--" in text[left:right]:
                continue
            if text[left] not in "(+" and not text[left].isdigit():
                continue
            if text[left] == "(" and ")" not in text[left:right]:
                left += 1
            while right > left and not text[right - 1].isdigit():
                right -= 1
            bare = _EXTENSION.sub("", text[left:right])
            if 6 <= sum(sign.isdigit() for sign in bare) <= 16:
                yield left, right


def _is_joined(text: str, start: int, end: int) -> bool:
    """Whether the number goes on as another token: TL-555-0188, 555-2210-REV4, 1.5, $400."""
    left, right = text[max(0, start - 2) : start], text[end : end + 8]
    if left and (
        (left[-1] in "_$€£#=/:@~^*" and left[-1] not in "=:/") or _is_ascii_word(left[-1])
    ):
        return True
    if len(left) == 2 and left[1] in "-./" and _is_ascii_word(left[0]):
        return True
    if right and (_is_ascii_word(right[0]) or right[0] in "€$£%"):
        return True
    follows = len(right) > 1 and right[0] in "-./:_" and _is_ascii_word(right[1])
    return follows and _BEHIND.match(right) is None


def _is_ascii_word(sign: str) -> bool:
    return sign.isascii() and (sign.isalnum() or sign == "_")


def _is_phone(number: str, *, labelled: bool, refused: bool, behind: bool) -> bool:
    """Whether *number*, standing alone, is one that somebody could be called at."""
    bare = _EXTENSION.sub("", number)
    digits = "".join(sign for sign in bare if sign.isdigit())
    if number.startswith("+"):
        return _is_international(digits) and (labelled or not refused)
    if _NO_PHONE.fullmatch(bare) is not None and not (labelled and bare.count(".") > 1):
        return False
    groups = re.findall(r"\d+", bare)
    if labelled:
        return _is_grouped(groups) and 7 - behind <= len(digits) <= 15
    if refused:
        return False
    if _NANP.fullmatch(number) is not None:
        return True
    if digits.startswith("00"):
        return len(groups) > 1 and _is_international(digits[2:])
    if digits.startswith("0") and len(groups) > 1:
        return _is_valid_somewhere(digits, groups)
    return _BRACKETED.fullmatch(bare) is not None


def _is_grouped(groups: list[str]) -> bool:
    """Whether digits are grouped as telephone numbers are: no group of one but the first two."""
    if len(groups) > 1 and len(groups[0]) == len(groups[1]) == 1 and groups[1] != "0":
        return False
    return all(len(group) > 1 for group in groups[2:]) and len(set("".join(groups))) > 1


def _is_international(digits: str) -> bool:
    """Whether *digits* are a country's code and as many digits as its numbers have."""
    if not 7 <= len(digits) <= 16:
        return False
    try:
        parsed = phonenumbers.parse(f"+{digits}")
    except phonenumbers.NumberParseException:
        return False
    return bool(phonenumbers.is_possible_number(parsed))


def _is_valid_somewhere(digits: str, groups: list[str]) -> bool:
    """Whether a number with a trunk 0 is valid in a country that writes it so."""
    if not 9 <= len(digits) <= 12:
        return False
    sizes = [len(group) for group in groups]
    if 3 <= len(sizes) <= 5 and 10 <= len(digits) <= 11 and sizes[0] <= 5 and min(sizes) > 1:
        return True
    for region in _TRUNK:
        try:
            parsed = phonenumbers.parse(digits, region)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number(parsed):
            return True
    return False
