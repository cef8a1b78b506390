"""Verdicts for tests: one without and one with everything."""

from __future__ import annotations

from gateway.core.findings import Finding, Severity
from gateway.scan.abuse import AbuseReport
from gateway.scan.policies import Violation
from gateway.scan.verdict import Verdict
from gateway.scan.wishes import Wishes

WISHES = Wishes(
    mode="combined",
    action="allow_with_warning",
    policy_action="allow_with_warning",
    abuse_action="allow_with_warning",
    personal_action="allow_with_warning",
    sensitivity="medium",
)
SCORES = {"injection": 0.987, "jailbreak": 0.2, "extraction": 0.1, "harmful": 0.999, "indirect": 0}
ATTACK = Finding("injection", "injection.override.en", Severity.CRITICAL, 0, 10)
MAIL = Finding("EMAIL_ADDRESS", "personal.email", Severity.MEDIUM, 12, 27)
VIOLATION = Violation("medical", ("dosage", "diagnosis"), 0.8, 0, 3, 9, None)
ABUSE = AbuseReport(
    detected=True,
    confidence=80.0,
    types=("flood",),
    scores={"flood": 80.0},
    indicators={"flood": 80.0},
    recommendation="Limit the request rate of this key.",
)
CLEAN = Verdict(wishes=WISHES, scores=dict.fromkeys(SCORES, 0.01), texts=1, chars=5, windows=1)
EVERYTHING = Verdict(
    wishes=WISHES,
    attacked=True,
    risk=0.987,
    attack="injection",
    scores=SCORES,
    findings=(ATTACK,),
    personal=(MAIL,),
    violations=(VIOLATION,),
    abuse=ABUSE,
    stripped=True,
    texts=2,
    chars=100,
    windows=2,
    encoded=1,
    truncated=True,
)
