"""What Prometheus is told of scans."""

from __future__ import annotations

from types import SimpleNamespace

import msgspec
import pytest

from gateway.core.errors import (
    AbuseBlocked,
    AttackBlocked,
    PersonalDataBlocked,
    PolicyViolated,
    Unscanned,
)
from gateway.record.scan_series import ALONE, REQUESTS, found
from gateway.scan.verdict import Verdict
from tests.gateway.record.records import make_outcome, make_record
from tests.gateway.record.test_metrics import metrics_of, samples
from tests.gateway.scan.verdicts import ATTACK, CLEAN, EVERYTHING, WISHES

WARNED = msgspec.structs.replace(EVERYTHING, stripped=False)


@pytest.mark.parametrize(
    ("verdict", "error", "expected"),
    [
        (CLEAN, "", {("none", "passed")}),
        (Verdict(wishes=WISHES, missing=True), "", {("none", "passed")}),
        (Verdict(wishes=WISHES, missing=True), Unscanned.code, {("none", "blocked")}),
        (
            EVERYTHING,
            "",
            {
                ("injection", "warned"),
                ("policy", "warned"),
                ("personal_data", "stripped"),
                ("abuse", "warned"),
            },
        ),
        (
            Verdict(wishes=WISHES, findings=(ATTACK,)),
            AttackBlocked.code,
            {("injection", "blocked")},
        ),
    ],
)
def test_kinds_and_actions(verdict, error, expected):
    """Everything that was found is counted once, with what followed; nothing found is one too."""
    assert set(found(verdict, error)) == expected
    assert len(list(found(verdict, error))) == len(expected)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (AttackBlocked.code, "injection"),
        (PolicyViolated.code, "policy"),
        (PersonalDataBlocked.code, "personal_data"),
        (AbuseBlocked.code, "abuse"),
    ],
)
def test_one_reason_blocks(error, kind):
    """Of several findings the one of the error blocked; the others would only have warned."""
    actions = dict(found(WARNED, error))

    assert actions.pop(kind) == "blocked"
    assert set(actions.values()) == {"warned"}


def test_records_count_their_scans():
    """Verdicts, what they cost and what they left unread come from the records."""
    verdict = msgspec.structs.replace(EVERYTHING, took_s=0.002)
    blocked = make_outcome(status=400, error=AttackBlocked.code)
    seen = samples(
        metrics_of(
            msgspec.structs.replace(make_record(1), verdict=verdict),
            msgspec.structs.replace(make_record(2, outcome=blocked), verdict=verdict),
            make_record(3),
        )
    )

    assert seen["switchyard_scan_verdicts_total", REQUESTS, "injection", "warned"] == 1
    assert seen["switchyard_scan_verdicts_total", REQUESTS, "injection", "blocked"] == 1
    assert seen["switchyard_scan_verdicts_total", REQUESTS, "personal_data", "stripped"] == 2
    assert seen["switchyard_scan_incomplete_total", REQUESTS, "truncated"] == 2
    assert seen["switchyard_scan_windows_total", REQUESTS, "guard"] == 4
    assert seen["switchyard_scan_windows_total", REQUESTS, "encoder"] == 2
    assert seen["switchyard_scan_seconds_count", REQUESTS] == 2
    assert seen["switchyard_scan_seconds_sum", REQUESTS] == pytest.approx(0.004)


def test_scans_alone_are_apart():
    """POST /v1/scan makes no record, and is counted under a name of its own."""
    metrics = metrics_of()
    metrics.count_scan(ALONE, Verdict(wishes=WISHES, missing=True), Unscanned.code)
    seen = samples(metrics)

    assert seen["switchyard_scan_verdicts_total", ALONE, "none", "blocked"] == 1
    assert seen["switchyard_scan_incomplete_total", ALONE, "failed"] == 1
    assert ("switchyard_scan_seconds_count", REQUESTS) not in seen


def test_the_engine_is_told():
    """Whether patterns are looked for by hyperscan or re2, and nothing where nobody scans."""
    metrics = metrics_of()
    assert not any(name == "switchyard_scan_info" for name, *_ in samples(metrics))
    engines = SimpleNamespace(patterns=SimpleNamespace(engine="re2"))
    metrics.scanner = lambda: SimpleNamespace(engines=engines)

    assert samples(metrics)["switchyard_scan_info", "re2"] == 1
