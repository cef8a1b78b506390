"""What the scan of one request looks for and what follows: the client's wishes and the defaults."""

from __future__ import annotations

import msgspec

from gateway.config.scan_schema import ProjectScan, ScanSettings
from gateway.core.request import Controls

# From mild to strict.
ACTIONS = (None, "allow_with_warning", "strip", "block")
SENSITIVITIES = ("low", "medium", "high")


class Wishes(msgspec.Struct, frozen=True):
    """
    *mode*: normal, policy_only or combined. Actions: block or allow_with_warning, that of personal
    data also strip; None: nobody looks. *chunk*: long texts are read in windows.
    """

    mode: str
    action: str
    policy_action: str
    abuse_action: str | None
    personal_action: str | None
    sensitivity: str
    chunk: bool = True

    @property
    def attacks(self) -> bool:
        """Whether attacks are looked for."""
        return self.mode != "policy_only"

    @property
    def policies(self) -> bool:
        """Whether content policies are checked."""
        return self.mode != "normal"


def wishes_of(controls: Controls, settings: ScanSettings, project: ProjectScan) -> Wishes:
    """
    What holds for a request: its *controls*, else the *project*, else the *settings*. Where these
    are enforced, a control counts only if it is stricter.
    """
    defaults = Wishes(
        mode=project.mode or settings.mode,
        action=project.action or settings.action,
        policy_action=project.policy_action or settings.policy_action,
        abuse_action=project.abuse_action or settings.abuse_action,
        personal_action=project.personal_action or settings.personal_action,
        sensitivity=project.sensitivity or settings.sensitivity,
    )
    strict = settings.enforce
    return Wishes(
        mode=_mode(controls.scan_mode, defaults.mode, strict=strict),
        action=_action(controls.scan_action, defaults.action, strict=strict) or defaults.action,
        policy_action=_action(controls.policy_action, defaults.policy_action, strict=strict)
        or defaults.policy_action,
        abuse_action=_action(controls.abuse_action, defaults.abuse_action, strict=strict),
        personal_action=_action(controls.personal_action, defaults.personal_action, strict=strict),
        sensitivity=_sensitivity(controls.sensitivity, defaults.sensitivity, strict=strict),
        chunk=controls.chunk is not False or strict,
    )


def _mode(said: str | None, default: str, *, strict: bool) -> str:
    if said is None or said == default:
        return default
    return "combined" if strict else said


def _action(said: str | None, default: str | None, *, strict: bool) -> str | None:
    if said is None:
        return default
    return max(said, default, key=ACTIONS.index) if strict else said


def _sensitivity(said: str | None, default: str, *, strict: bool) -> str:
    if said is None:
        return default
    return max(said, default, key=SENSITIVITIES.index) if strict else said
