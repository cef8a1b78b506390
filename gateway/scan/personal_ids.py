"""Numbers that states, clinics and registries give to people."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import partial
from importlib import import_module

from gateway.scan.checksums import is_card
from gateway.scan.personal_context import (
    Hit,
    Words,
    around,
    before,
    is_goods,
    is_inside_word,
    labelled,
    value_behind,
)

NATIONAL_GAP = 40  # characters: "O NIF da cliente Leonor Valadares é 123796555"
# Shapes of national ids with a check digit, and the modules of python-stdnum that know it. A
# shape without module has no check digit, and counts behind a word only.
_SHAPES: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"[A-Z]{4}\d{6}[HMX][A-Z]{5}[A-Z0-9]\d", ("mx.curp",)),
    (
        r"[A-Z]{6}[0-9LMNP-V]{2}[A-EHLMPRST][0-9LMNP-V]{2}[A-Z][0-9LMNP-V]{3}[A-Z]",
        ("it.codicefiscale",),
    ),
    (r"[A-ZÑ&]{3,4}-?\d{6}-?[A-Z0-9]{3}", ("mx.rfc",)),
    (r"\d{6}(?:19|20)\d{2}(?:0[1-9]|1[0-2])\d{5}[\dX]", ("cn.ric",)),
    (r"[12] ?\d\d ?\d\d ?\d[\dAB] ?\d{3} ?\d{3} ?\d\d", ("fr.nir",)),
    (r"[A-Z]{2} ?\d\d ?\d\d ?\d\d ?[A-D]", ()),  # United Kingdom
    (r"[A-Z]{5}\d{4}[A-Z]", ("in_.pan",)),
    (r"\d{3}\.\d{3}\.\d{3}-\d\d", ("br.cpf",)),
    (r"\d\d\.\d\d\.\d\d-\d{3}\.\d\d", ("be.nn", "be.bis")),
    (r"756\.?\d{4}\.?\d{4}\.?\d\d", ("ch.ssn",)),
    (r"\d{6}-?[1-8]\d{6}", ("kr.rrn",)),
    (r"\d{1,2}\.?\d{3}\.?\d{3}-[\dK]", ("cl.rut",)),
    (r"\d\d-\d{8}-\d", ("ar.cuit",)),
    (r"\d{6}[-+ABCDEFUVWXY]\d{3}[0-9A-Y]", ("fi.hetu",)),
    (r"(?:19|20)?\d{6}[-+]?\d{4}", ("se.personnummer", "dk.cpr", "is_.kennitala", "at.vnr")),
    (r"\d{6}/\d{3,4}", ("cz.rc",)),
    (r"\d{8}-?[A-Z]|[XYZ]-?\d{7}-?[A-Z]", ("es.dni", "es.nie")),
    (r"[STFGM]\d{7}[A-Z]", ()),  # Singapore
    (r"[A-Z]{1,2}\d{6}\(?[0-9A]\)?", ()),  # Hong Kong
    (r"[A-Z][12]\d{8}", ()),  # Taiwan
    (r"\d{7}[A-W][A-IW]?", ("ie.pps",)),
    (r"\d{6}-\d\d-\d{4}", ("my.nric",)),
    (r"\d{5}-\d{7}-\d", ("pk.cnic",)),
    (r"\d-\d{4}-\d{5}-\d\d-\d", ("th.pin",)),
    (r"\d{3}-\d{3}-\d{3}[ -]\d\d", ()),  # Russia, SNILS
    (r"\d{13}", ("za.idnr", "ro.cnp", "th.pin", "si.emso")),
    (r"[2-9]\d{3}[ -]?\d{4}[ -]?\d{4}", ("in_.aadhaar",)),
)
_MODULES = sorted({name for _, names in _SHAPES for name in names})
_CHECKS: dict[str, Callable[[str], bool]] = {
    name: import_module(f"stdnum.{name}").is_valid for name in _MODULES
}
_COMPILED = tuple((re.compile(shape, re.IGNORECASE), names) for shape, names in _SHAPES)
_ALONE = frozenset(  # whose shape and check digits leave no doubt without a word beside them
    [
        "mx.curp",
        "it.codicefiscale",
        "cn.ric",
        "fr.nir",
        "br.cpf",
        "be.nn",
        "ch.ssn",
        "kr.rrn",
        "fi.hetu",
        "es.dni",
        "es.nie",
        "cl.rut",
        "ar.cuit",
        "za.idnr",
    ]
)
_VALUE = "|".join(
    f"(?:{shape})(?![ -]?\\d)" for shape, _ in _SHAPES if not shape.startswith(r"\d{13}")
)
_NATIONAL = labelled(
    rf"{_VALUE}|[A-Z]{{0,4}}-?\d(?:[ .\-/]?\d){{5,17}}(?:[-/]?[A-Z]\b|(?-i: [A-Z]\b)|-?\d)?"
)
_PASSPORT = labelled(
    r"[A-Z]{0,3}-?\d[A-Z0-9]{5,9}|(?-i:[A-Z]{1,3}) \d{5,9}|[A-Z]{1,3}\d{2}[A-Z]\d{5}"
    r"|[A-Z]\d{2}[A-Z0-9]{5,7}|\d{2} ?\d{2} ?\d{6}"
)
_DATE = re.compile(r"(?:19|20)\d\d(?:[-/.]?(?:0[1-9]|1[0-2])(?:[-/.]?(?:0[1-9]|[12]\d|3[01]))?)?")
_LICENSE = labelled(
    r"[A-Z]{5}\d{6}[A-Z0-9]{5}"  # United Kingdom
    r"|(?:[A-Z]{0,3}-?|(?-i:[A-Z]{1,3}) )\d[A-Z0-9]*(?:[- ][A-Z0-9]*\d[A-Z0-9]*){0,5}"
    r"|[A-Z]{1,4}\d[A-Z0-9*]{5,12}"
)
_RECORD = labelled(r"(?:[A-Z]{1,4}[-/]?|(?-i:[A-Z]{1,4}) )?\d(?:[A-Z0-9]|[-/](?=[A-Z0-9])){3,17}")
_PERSONAL = Words(
    "id ids dni nie nif cpf curp rfc ssn pesel bsn nir tax identi* ausweis* nin national codice"
    " fiscale citizen ahv avs rut cuit personnummer hetu cnp rrn ni nino pan nric insurance",
    "身份证 주민 マイナンバー 個人番号",
)


def national(text: str, start: int, end: int) -> Iterable[Hit]:
    """An id whose shape is its country's alone and whose check digits are right."""
    if is_inside_word(text, start, end):
        return
    value = text[start:end]
    for shape, names in _COMPILED:
        if shape.fullmatch(value) is None:
            continue
        known = [name for name in names if _CHECKS[name](value)]
        size = value[-1] in "KMGB" and len(value) == 9  # 57435322K of memory
        if known and not size and not is_goods(text, start) and not _ALONE.isdisjoint(known):
            yield Hit(start, end)
            return
        if (known or not names) and _PERSONAL.among(around(text, start, end)):
            yield Hit(start, end, 0.9)
            return


def national_labelled(text: str, _start: int, end: int) -> Iterable[Hit]:
    """The number behind the name of a national id, whatever its check digits."""
    found = value_behind(_NATIONAL, text, end, NATIONAL_GAP)
    if found is None:
        return
    value = found[0]
    digits = "".join(sign for sign in value if sign.isdigit())
    if len(digits) < 5 or is_card(digits):
        return
    checked = any(
        shape.fullmatch(value) is not None and any(_CHECKS[name](value) for name in names)
        for shape, names in _COMPILED
    )
    yield Hit(*found.span(), 1.0 if checked else 0.9)


def _behind(
    pattern: re.Pattern[str], digits_min: int, text: str, _start: int, end: int
) -> Iterable[Hit]:
    """What *pattern* finds behind a label, with *digits_min* digits or more."""
    found = value_behind(pattern, text, end)
    if found is None or _DATE.fullmatch(found[0]) is not None:
        return
    if sum(sign.isdigit() for sign in found[0]) >= digits_min:
        yield Hit(*found.span(), 0.95)


passport = partial(_behind, _PASSPORT, 5)
license_number = partial(_behind, _LICENSE, 5)
record_number = partial(_behind, _RECORD, 4)


def hl7_record(text: str, start: int, end: int) -> Iterable[Hit]:
    """The patient's number in the PID segment of an HL7 message."""
    left = text.rfind("|", start, end) + 1
    if left > start and "PID" in before(text, left, 24):
        yield Hit(left, end)
