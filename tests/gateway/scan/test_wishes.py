"""What a request wants of the scan, and what the operator does."""

from __future__ import annotations

import pytest

from gateway.config.scan_schema import ProjectScan, ScanSettings
from gateway.core.request import Controls
from gateway.scan.wishes import wishes_of

OURS = ProjectScan()


def test_the_operators_defaults_hold_for_who_says_nothing():
    """Attacks and policies with a warning; nobody looks for personal data unasked."""
    wishes = wishes_of(Controls(), ScanSettings(), OURS)

    assert (wishes.mode, wishes.action, wishes.sensitivity) == (
        "combined",
        "allow_with_warning",
        "medium",
    )
    assert wishes.personal_action is None
    assert wishes.abuse_action is None
    assert wishes.attacks
    assert wishes.policies


def test_a_project_goes_before_the_common_settings_and_a_client_before_both():
    """The nearest word counts."""
    project = ProjectScan(action="block", personal_action="strip", sensitivity="low")

    wishes = wishes_of(Controls(sensitivity="high"), ScanSettings(), project)

    assert wishes.action == "block"
    assert wishes.personal_action == "strip"
    assert wishes.sensitivity == "high"


@pytest.mark.parametrize(
    ("mode", "attacks", "policies"),
    [("normal", True, False), ("policy_only", False, True), ("combined", True, True)],
)
def test_modes_say_what_is_looked_for(mode, attacks, policies):
    """Attacks, content policies, or both."""
    wishes = wishes_of(Controls(scan_mode=mode), ScanSettings(), OURS)

    assert (wishes.attacks, wishes.policies) == (attacks, policies)


STRICT = ScanSettings(
    enforce=True,
    mode="normal",
    action="block",
    abuse_action="allow_with_warning",
    personal_action="strip",
)


def test_enforced_settings_cannot_be_weakened():
    """A client that wants less gets what the operator wants."""
    wishes = wishes_of(
        Controls(
            scan_mode="policy_only",
            scan_action="allow_with_warning",
            personal_action="allow_with_warning",
            sensitivity="low",
            chunk=False,
        ),
        STRICT,
        OURS,
    )

    assert wishes.mode == "combined"
    assert wishes.action == "block"
    assert wishes.personal_action == "strip"
    assert wishes.sensitivity == "medium"
    assert wishes.chunk


def test_enforced_settings_can_be_made_stricter():
    """More than the operator wants is the client's to ask for."""
    wishes = wishes_of(
        Controls(personal_action="block", abuse_action="block", sensitivity="high"), STRICT, OURS
    )

    assert wishes.personal_action == "block"
    assert wishes.abuse_action == "block"
    assert wishes.sensitivity == "high"
