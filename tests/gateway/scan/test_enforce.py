"""What a verdict means for the request."""

from __future__ import annotations

from msgspec.structs import replace

from gateway.core.errors import AbuseBlocked, AttackBlocked, PersonalDataBlocked, PolicyViolated
from gateway.core.findings import Severity
from gateway.scan.enforce import blocked
from tests.gateway.scan.verdicts import ABUSE, ATTACK, CLEAN, EVERYTHING, MAIL, VIOLATION


def wishing(verdict, **wishes):
    """The same verdict for a request with other wishes."""
    return replace(verdict, wishes=replace(verdict.wishes, **wishes))


def test_warnings_stop_nothing():
    """Whatever was found, unless somebody wants it blocked."""
    assert blocked(EVERYTHING) is None


def test_a_clean_prompt_passes_the_strictest_wishes():
    """There is nothing to block."""
    strict = wishing(
        CLEAN, action="block", policy_action="block", abuse_action="block", personal_action="block"
    )

    assert blocked(strict, tuple(Severity)) is None


def test_an_attack_is_blocked():
    """With the scores that LockLLM's client reads."""
    attacked = replace(CLEAN, attacked=True, risk=0.987, attack="injection", findings=(ATTACK,))
    error = blocked(wishing(attacked, action="block"))

    assert isinstance(error, AttackBlocked)
    assert error.status == 400
    assert "(injection)" in error.message
    assert error.details["scan_result"] == {
        "safe": False,
        "label": 1,
        "confidence": 98.7,
        "injection": 98.7,
        "sensitivity": "medium",
    }


def test_a_policy_blocks_by_its_own_action_or_the_requests():
    """The policy's word goes first."""
    violated = replace(CLEAN, violations=(VIOLATION,))
    milder = replace(VIOLATION, action="allow_with_warning")

    error = blocked(wishing(violated, policy_action="block"))
    assert isinstance(error, PolicyViolated)
    assert error.details["violated_policies"] == [
        {
            "policy_name": "medical",
            "violated_categories": [{"name": "dosage"}, {"name": "diagnosis"}],
        }
    ]
    assert blocked(wishing(replace(CLEAN, violations=(milder,)), policy_action="block")) is None
    assert blocked(replace(CLEAN, violations=(replace(VIOLATION, action="block"),)))


def test_personal_data_is_blocked_by_type_and_count():
    """Never by what it is."""
    error = blocked(wishing(replace(CLEAN, personal=(MAIL, MAIL)), personal_action="block"))

    assert isinstance(error, PersonalDataBlocked)
    assert error.details == {"pii_details": {"entity_types": ["EMAIL_ADDRESS"], "entity_count": 2}}


def test_abuse_is_blocked():
    """Only where it was detected."""
    error = blocked(wishing(replace(CLEAN, abuse=ABUSE), abuse_action="block"))

    assert isinstance(error, AbuseBlocked)
    assert error.details["abuse_details"]["abuse_types"] == ["flood"]
    unsure = replace(ABUSE, detected=False)
    assert blocked(wishing(replace(CLEAN, abuse=unsure), abuse_action="block")) is None


def test_severities_are_refused_whatever_the_action():
    """With 403, as NeuralRouting's clients expect; milder ones pass."""
    found = replace(CLEAN, findings=(replace(ATTACK, severity=Severity.HIGH),))

    assert blocked(found, (Severity.CRITICAL,)) is None
    error = blocked(found, (Severity.HIGH, Severity.CRITICAL))
    assert isinstance(error, AttackBlocked)
    assert error.status == 403


def test_no_error_asks_to_be_tried_again():
    """The same prompt is blocked the same way."""
    strict = wishing(EVERYTHING, action="block")

    assert blocked(strict).retry is False
