"""What is counted of scans: names and labels as in gateway.record.metrics, all of them our own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gateway.core.errors import (
    AbuseBlocked,
    AttackBlocked,
    PersonalDataBlocked,
    PolicyViolated,
    Unscanned,
)
from gateway.record.series import Counter, Histogram, Labels
from gateway.scan.scanner import Scanner
from gateway.scan.verdict import Verdict

# Patterns and guard take a tenth of a millisecond for most texts; stripping a long one takes more.
SCAN_BOUNDS_S = (0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1.0)

REQUESTS, ALONE = "requests", "scan"  # values of endpoint: all but POST /v1/scan, and that

SCAN_COUNTERS: dict[str, tuple[str, Labels]] = {
    "switchyard_scan_verdicts": (
        "What scans found; kind: of attack, policy, personal_data, abuse, or none; action: passed,"
        " warned, stripped, blocked",
        ("endpoint", "kind", "action"),
    ),
    "switchyard_scan_incomplete": (
        "Scans that left something unread; reason: failed, or truncated at the limit",
        ("endpoint", "reason"),
    ),
    "switchyard_scan_windows": (
        "Parts of texts that a model read; by: guard, encoder",
        ("endpoint", "by"),
    ),
}
SCAN_HISTOGRAMS: dict[str, tuple[str, Labels, tuple[float, ...]]] = {
    "switchyard_scan_seconds": (
        "Stripping, patterns and guard, without the wait for the encoder",
        ("endpoint",),
        SCAN_BOUNDS_S,
    ),
}


def count_scan(
    counters: Mapping[str, Counter],
    histograms: Mapping[str, Histogram],
    endpoint: str,
    verdict: Verdict,
    error: str,
) -> None:
    """Count the scan of one request that ended with the code *error*, "" for one that went on."""
    for kind, action in found(verdict, error):
        counters["switchyard_scan_verdicts"].add((endpoint, kind, action))
    if verdict.missing or verdict.truncated:
        reason = "failed" if verdict.missing else "truncated"
        counters["switchyard_scan_incomplete"].add((endpoint, reason))
    for by, windows in (("guard", verdict.windows), ("encoder", verdict.encoded)):
        if windows:
            counters["switchyard_scan_windows"].add((endpoint, by), windows)
    histograms["switchyard_scan_seconds"].observe((endpoint,), verdict.took_s)


def found(verdict: Verdict, error: str) -> Iterator[tuple[str, str]]:
    """Each kind of thing that was found, and what followed; at least one."""
    clean = True
    if verdict.attacked or error == AttackBlocked.code:
        kind = verdict.attack if verdict.attacked else verdict.findings[0].kind
        yield kind, "blocked" if error == AttackBlocked.code else "warned"
        clean = False
    if verdict.violations:
        yield "policy", "blocked" if error == PolicyViolated.code else "warned"
        clean = False
    if verdict.personal:
        gone_on = "stripped" if verdict.stripped else "warned"
        yield "personal_data", "blocked" if error == PersonalDataBlocked.code else gone_on
        clean = False
    if verdict.abuse is not None and verdict.abuse.detected:
        yield "abuse", "blocked" if error == AbuseBlocked.code else "warned"
        clean = False
    if clean:
        yield "none", "blocked" if error == Unscanned.code else "passed"


def scan_info(scanner: Scanner | None) -> dict[Labels, float]:
    """Which engine looks for patterns; nothing where nobody scans."""
    return {} if scanner is None else {(scanner.engines.patterns.engine,): 1.0}
