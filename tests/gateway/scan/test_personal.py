"""Personal data: found in many countries' forms, told from look-alikes, without overlaps."""

from __future__ import annotations

from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.findings import Finding, Severity
from gateway.scan.patterns import Match, Pattern, PatternSet, read_patterns
from gateway.scan.personal import Recognisers, without_overlaps
from tests.gateway.scan.recognised import findings_in, found_in, scanner


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("mail first.last+tag@sub.example.co.uk, now", ["first.last+tag@sub.example.co.uk"]),
        ("jane.doe [at] example [dot] org", ["jane.doe [at] example [dot] org"]),
        (
            "Rufen Sie an: 030/12345678 oder +49 (0)171 1234567",
            ["030/12345678", "+49 (0)171 1234567"],
        ),
        ("手机 13800138000", ["13800138000"]),
        ("전화 010-1234-5678", ["010-1234-5678"]),
        ("GP: Dr Anand Kulkarni, 020 7946 0182.", ["020 7946 0182"]),
        ("(415) 555-0137 x22", ["(415) 555-0137 x22"]),
        ("name,phone\nBo,555-0142\nUlla,555-0177", ["555-0142", "555-0177"]),
        ("IP: 10.0.0.5, fe80::1ff:fe23:4567:890a%eth0", ["10.0.0.5", "fe80::1ff:fe23:4567:890a"]),
        ("mac 0011.2233.4455 or 02-1A-C7-44-0E-B3", ["0011.2233.4455", "02-1A-C7-44-0E-B3"]),
        ("amex 3714 496353 98431", ["3714 496353 98431"]),
        ("Card 4111-1111-1111-1111, exp 12/26", ["4111-1111-1111-1111"]),
        ("IBAN: CH93 0076 2011 6238 5295 7 bitte", ["CH93 0076 2011 6238 5295 7"]),
        ("de89 3704 0044 0532 0130 00 please", ["de89 3704 0044 0532 0130 00"]),
        ("ssn,first\n900-33-1187,Orville", ["900-33-1187"]),
        ("My SSN is 123456789 thanks", ["123456789"]),
        ("Personnummer: 811228-9874", ["811228-9874"]),
        ("HETU 131052-308T", ["131052-308T"]),
        ("身份证号码：11010519491231002X", ["11010519491231002X"]),
        ("주민등록번호 900101-1234567", ["900101-1234567"]),
        ("AHV-Nr. 756.9217.0769.85", ["756.9217.0769.85"]),
        ("NHS number 943 476 5919", ["943 476 5919"]),
        ("NI number AB 12 34 56 C", ["AB 12 34 56 C"]),
        ("O NIF da cliente Leonor Valadares é 123796555 e", ["123796555"]),
        ("soy Remedios, 34917039A", ["34917039A"]),
        ("consta o 829.383.903-19", ["829.383.903-19"]),
        ("паспорт 45 12 345678", ["45 12 345678"]),
        ("Passport No: L898902C3", ["L898902C3"]),
        ("Driver's license (IL): T524-0118-5573", ["T524-0118-5573"]),
        ("driving licence MORGA753116SM9IJ", ["MORGA753116SM9IJ"]),
        ("Account #: 1234567890, Konto-Nr. 532013000", ["1234567890", "532013000"]),
        ("MRN #A-4471982", ["A-4471982"]),
        ("PID|1||PAT884021^^^HOSP^MR||STANHOPE", ["PAT884021"]),
        ("née le 1er mai 1970 à Lyon", ["1er mai 1970"]),
        ("生年月日 1978年11月3日", ["1978年11月3日"]),
        ("name;geburtsdatum\nTraudl;1971-05-30\nJan;2001-11-02", ["1971-05-30", "2001-11-02"]),
        ("Lindgren, May 30, 1942, SSN 666-07-2215", ["May 30, 1942", "666-07-2215"]),
    ],
)
def test_data_is_found_as_people_and_programs_write_it(text, data):
    """Whole, and nothing beside it."""
    assert [words for _, words in found_in(text)] == data


@pytest.mark.parametrize(
    "text",
    [
        "Why does node v20.11.1 fail? Commit 2d133187c8df95247f2866028de71159b42b4ea4, code 137",
        "tracking number 7091111465697778, order #8841-2290-17, PO-4471-0092-A",
        "The part is 800-555-2210-REV4. Do not confuse with 800-554-2210, discontinued.",
        "Changelog: 10.0.1.4 fixed the crash; 10.0.1.5 reverted it; 10.1.0.0 drops XP",
        "id 550e8400-e29b-41d4-a716-446655440000, ratio 4:3, 1920x1080, port 8443",
        "2024-123-45-67890 and NNN-NN-NNNN",
        "ISBN 978-3-16-148410-0, EAN 4006381333931, IMEI 490154203237518",
        "timestamps 1718031122000, 1718031122 and 20240611T1430Z, 2460472.5",
        "The invoice number 4012-8812-7731-0095 looks like a card number but is not.",
        "std::vector<int> a::b 10:20:30 1:2:3, @angular/core@17.2, icon@2x.png",
        "git@github.com:org/repo.git",
        "total 1,234,567.89 and 12 x 34 = 408, 3.14159265358979, 0.2   0    192.65 10 3",
        "Carl Schurz (1820–1906), senator; 2019-2020; 1996 -- 304",
        "[ParOldGen: 57435641K->57435322K(57435648K)]",
        "my passport expired, the account is closed, born to run, chart of May 1963",
        "注文番号 2024-0315-8890、型番 555-0199-A",
        "5 2 4 1 9 8 3 7 6 0 1 2 3 4",
        "https://example.org/a?b=1 is a page",
    ],
)
def test_look_alikes_are_left_alone(text):
    """Versions, orders, parts, hashes, times, amounts and ratios are nobody's data."""
    assert found_in(text) == []


def test_plain_urls_are_found_only_where_asked_for():
    """The address of a page is no secret, unless the operator says so."""
    text = "see https://example.org/a?b=1."
    patterns = PatternSet([one for one in read_patterns() if one.kind == "URL"])
    matches = patterns.scan(text)

    assert Recognisers(patterns.patterns).findings(text, matches) == []
    (found,) = Recognisers(patterns.patterns, asked=("URL",)).findings(text, matches)
    assert text[found.start : found.end] == "https://example.org/a?b=1"


def test_a_finding_says_which_pattern_and_which_text():
    """For the record: id, severity and place, never the words."""
    patterns, recognisers = scanner()
    text = "write to ann@example.org"

    (found,) = recognisers.findings(text, patterns.scan(text), place=3)

    assert found == Finding("EMAIL_ADDRESS", "email", Severity.MEDIUM, 9, 24, 1.0, 3)


def test_attacks_are_none_of_its_business():
    """A pattern of another kind is passed over, whatever its check is called."""
    attack = Pattern("x", "injection", Severity.HIGH, "a", ("a",), ("b",), check="unheard-of")

    assert Recognisers([attack]).findings("a", [Match(0, 0, 1)]) == []


def test_an_unknown_check_is_named_at_start():
    """Not at the first request that it concerns."""
    wrong = Pattern("x", "IBAN", Severity.HIGH, "a", ("a",), ("b",), check="unheard-of")

    with pytest.raises(ValueError, match="x: no check is named 'unheard-of'"):
        Recognisers([wrong])


def finding(start: int, end: int, severity: Severity = Severity.LOW, score: float = 1.0) -> Finding:
    """A finding of no particular kind."""
    return Finding("IBAN", "x", severity, start, end, score)


def test_of_overlapping_findings_the_longer_counts_then_the_worse_then_the_surer():
    """A card in a connection string is part of it."""
    longer, inner = finding(0, 10), finding(2, 5, Severity.CRITICAL)
    worse, sure, unsure = (
        finding(20, 25, Severity.HIGH),
        finding(30, 35),
        finding(30, 35, score=0.5),
    )

    kept = without_overlaps([inner, unsure, longer, finding(20, 25), worse, sure])

    assert kept == [longer, worse, sure]


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(1, 12))))
def test_what_is_kept_is_sorted_disjoint_and_leaves_nothing_free_out(spans):
    """Each finding is kept, or shares a character with one that is."""
    every = [finding(start, start + size) for start, size in spans]

    kept = without_overlaps(every)

    assert all(one.end <= two.start for one, two in pairwise(kept))
    for one in every:
        assert any(one.start < other.end and other.start < one.end for other in kept)


@given(st.text("0123456789 .-+()/:@xA\n名", max_size=200))
def test_findings_lie_within_any_text(text):
    """Digits and signs in any order: no error, and spans of at least one character."""
    found = findings_in(text)

    assert all(0 <= one.start < one.end <= len(text) for one in found)
    assert all(one.end <= two.start for one, two in pairwise(found))


@pytest.mark.parametrize(
    "piece",
    ["1", "1 ", "4111 ", "a@", "password=", "born ", "born,a\n1,2\n", "account 1 ", "://a:b@"],
)
def test_hostile_repetition_ends(piece):
    """A megabyte of one thing; the number of candidates is bounded."""
    text = piece * (1_000_000 // len(piece))

    assert all(msgspec.json.encode(one) for one in findings_in(text))
