"""Personal data and secrets: candidates of the patterns, validated one by one."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping, Sequence

from gateway.core.findings import SEVERITIES, Finding
from gateway.scan import (
    personal_dates,
    personal_ids,
    personal_network,
    personal_numbers,
    personal_phones,
    secrets_keys,
    secrets_words,
)
from gateway.scan.patterns import Match, Pattern
from gateway.scan.personal_context import Check

# Types of personal data and of secrets, as findings name them.
PERSONAL = (
    *("EMAIL_ADDRESS", "PHONE_NUMBER", "CREDIT_CARD", "IBAN", "US_SSN", "NATIONAL_ID", "PASSPORT"),
    *("US_DRIVER_LICENSE", "DATE_OF_BIRTH", "IP_ADDRESS", "MAC_ADDRESS", "URL", "ACCOUNT_NUMBER"),
    *("USERNAME", "MRN"),
)
SECRETS = (
    *("URL_WITH_CREDENTIALS", "PASSWORD", "API_KEY", "PRIVATE_KEY", "JWT", "CONNECTION_STRING"),
)
ASKED = frozenset(("URL",))  # reported only where asked for: an address of a page is no secret

CHECKS: Mapping[str, Check] = {
    "account": personal_numbers.account,
    "aws_secret": secrets_keys.aws_secret,
    "basic_password": secrets_words.basic_password,
    "card": personal_numbers.card,
    "command_password": secrets_words.command_password,
    "connection_pairs": secrets_words.connection_pairs,
    "connection_url": secrets_words.connection_url,
    "date_of_birth": personal_dates.date_of_birth,
    "date_beside_identity": personal_dates.date_beside_identity,
    "directory_name": secrets_words.directory_name,
    "email": personal_network.email,
    "hl7_record": personal_ids.hl7_record,
    "iban": personal_numbers.iban,
    "ipv4": personal_network.ipv4,
    "ipv6": personal_network.ipv6,
    "json_web_token": secrets_keys.json_web_token,
    "known_key": secrets_keys.known_key,
    "last_word": secrets_words.last_word,
    "license_number": personal_ids.license_number,
    "logged_name": secrets_words.logged_name,
    "mac": personal_network.mac,
    "national": personal_ids.national,
    "national_labelled": personal_ids.national_labelled,
    "passport": personal_ids.passport,
    "password": secrets_words.password,
    "password_owner": secrets_words.password_owner,
    "phone": personal_phones.phone,
    "plain_url": secrets_words.plain_url,
    "private_key": secrets_keys.private_key,
    "random_value": secrets_keys.random_value,
    "record_number": personal_ids.record_number,
    "ssn": personal_numbers.ssn,
    "ssn_labelled": personal_numbers.ssn_labelled,
    "sudo_name": secrets_words.sudo_name,
    "url": personal_network.url,
    "username": secrets_words.username,
    "whole": secrets_words.whole,
}


class Recognisers:
    """
    What tells personal data and secrets from look-alikes. Immutable; serves many threads.

    *patterns* is the whole set that was scanned for; those of attacks are left alone. Types of
    ASKED are found only where named in *asked*. ValueError names a pattern of an unknown check.
    """

    def __init__(self, patterns: Sequence[Pattern], asked: Collection[str] = ()) -> None:
        kinds = (frozenset(PERSONAL) | frozenset(SECRETS)) - (ASKED - frozenset(asked))
        self._patterns = tuple(patterns)
        self._checks: dict[int, Check] = {}
        for index, pattern in enumerate(patterns):
            if pattern.kind not in kinds:
                continue
            check = CHECKS.get(pattern.check or "whole")
            if check is None:
                raise ValueError(f"{pattern.id}: no check is named {pattern.check!r}")
            self._checks[index] = check

    def findings(self, text: str, matches: Sequence[Match], place: int = 0) -> list[Finding]:
        """
        The data that *matches* of *text* turn out to be, by start, without overlaps: of two the
        longer counts, then the more severe, then the surer. *place* goes into each finding.
        """
        found: list[Finding] = []
        for match in matches:
            check = self._checks.get(match.pattern)
            if check is None:
                continue
            pattern = self._patterns[match.pattern]
            found += (
                Finding(pattern.kind, pattern.id, pattern.severity, start, end, score, place)
                for start, end, score in check(text, match.start, match.end)
            )
        return found if len(found) < 2 else without_overlaps(found)


def without_overlaps(findings: Iterable[Finding]) -> list[Finding]:
    """The best of *findings* that share no character, sorted by start. O(n log n)."""
    ranked = sorted(
        findings,
        key=lambda one: (
            one.start - one.end,
            -SEVERITIES.index(one.severity),
            -one.score,
            one.start,
        ),
    )
    starts: list[int] = []
    kept: list[Finding] = []
    for finding in ranked:
        at = bisect_left(starts, finding.start)
        if at < len(starts) and starts[at] < finding.end:
            continue
        if at and kept[at - 1].end > finding.start:
            continue
        starts.insert(at, finding.start)
        kept.insert(at, finding)
    return kept
