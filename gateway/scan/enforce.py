"""Whether a request may go on after its scan, and the error that says why not."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.core.errors import (
    AbuseBlocked,
    AttackBlocked,
    ContentError,
    PersonalDataBlocked,
    PolicyViolated,
)
from gateway.core.findings import Finding, Severity
from gateway.scan.abuse import AbuseReport
from gateway.scan.policies import Violation
from gateway.scan.verdict import Verdict

BLOCK = "block"


def blocked(verdict: Verdict, refuse: Sequence[Severity] = ()) -> ContentError | None:
    """
    The error of a request that is not let through, None for one that is. Attacks are judged before
    policies, personal data and abuse. *refuse*: severities of patterns of attacks that nobody may
    send, whatever the action, and which are answered with 403.
    """
    wishes = verdict.wishes
    if refused := [one for one in verdict.findings if one.severity in refuse]:
        return _attack(verdict, refused, status=403)
    if verdict.attacked and wishes.action == BLOCK:
        return _attack(verdict, verdict.findings, status=400)
    forbidden = [one for one in verdict.violations if (one.action or wishes.policy_action) == BLOCK]
    if forbidden:
        return _policy(forbidden)
    if verdict.personal and wishes.personal_action == BLOCK:
        return _personal(verdict.personal)
    if verdict.abuse is not None and verdict.abuse.detected and wishes.abuse_action == BLOCK:
        abuse = verdict.abuse
        return AbuseBlocked(
            f"The request looks like abuse ({', '.join(abuse.types)}) and was not sent.",
            {"abuse_details": abuse_detail(abuse)},
        )
    return None


def _attack(verdict: Verdict, findings: Sequence[Finding], status: int) -> ContentError:
    kinds = sorted({one.kind for one in findings}) or [verdict.attack]
    error = AttackBlocked(
        f"The prompt was not sent: it looks like an attack on the model ({', '.join(kinds)}).",
        {"scan_result": scan_result(verdict)},
    )
    error.status = status
    return error


def _policy(violations: Sequence[Violation]) -> ContentError:
    names = dict.fromkeys(one.policy for one in violations)
    return PolicyViolated(
        f"The prompt was not sent: a content policy forbids it ({', '.join(names)}).",
        {"violated_policies": violated(violations)},
    )


def _personal(findings: Sequence[Finding]) -> ContentError:
    kinds = sorted({one.kind for one in findings})
    return PersonalDataBlocked(
        f"The prompt was not sent: it holds personal data or secrets ({', '.join(kinds)}).",
        {"pii_details": {"entity_types": kinds, "entity_count": len(findings)}},
    )


def abuse_detail(abuse: AbuseReport) -> dict[str, object]:
    """A report as LockLLM's clients read it; percentages."""
    return {
        "detected": abuse.detected,
        "confidence": abuse.confidence,
        "abuse_types": list(abuse.types),
        "indicators": abuse.indicators,
        "recommendation": abuse.recommendation,
    }


def scan_result(verdict: Verdict) -> dict[str, object]:
    """The core of a scan as LockLLM's clients read it; percentages, None where nobody looked."""
    looked = verdict.wishes.attacks
    return {
        "safe": verdict.safe,
        "label": 0 if verdict.safe else 1,
        "confidence": percent(verdict.confidence) if looked else None,
        "injection": percent(verdict.risk) if looked else None,
        "sensitivity": verdict.wishes.sensitivity,
    }


def violated(violations: Sequence[Violation]) -> list[dict[str, object]]:
    """The violations as LockLLM's clients read them, by policy."""
    named: dict[str, list[dict[str, str]]] = {}
    for one in violations:
        descriptions = (*one.descriptions, *[""] * len(one.categories))
        named[one.policy] = [
            {"name": name, "description": words} if words else {"name": name}
            for name, words in zip(one.categories, descriptions, strict=False)
        ]
    return [
        {"policy_name": policy, "violated_categories": categories}
        for policy, categories in named.items()
    ]


def percent(share: float) -> float:
    """0 to 100, with one decimal."""
    return round(100.0 * share, 1)
