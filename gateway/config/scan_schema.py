"""The settings of the scan: what is looked for, and what then happens."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from gateway.config.section import Section
from gateway.core.content_policy import ContentPolicy
from gateway.core.findings import Severity

BlockOrWarn = Literal["block", "allow_with_warning"]
PersonalAction = Literal["strip", "block", "allow_with_warning"]
ScanMode = Literal["normal", "policy_only", "combined"]
Sensitivity = Literal["low", "medium", "high"]


class Allowed(Section, frozen=True):
    """
    What is not a finding: of one *pattern* (its id), inside one *phrase*, in one *project*. A
    member that is not given does not bind; one of the first two must be.
    """

    pattern: str = ""
    phrase: str = ""
    project: str = ""
    reason: str = ""

    def __post_init__(self) -> None:
        """Refuse an entry that would allow everything."""
        if not self.pattern and not self.phrase.strip():
            raise ValueError("an entry of the allow list names a pattern or a phrase")


class ProjectScan(Section, frozen=True):
    """What the requests of one project get unless they say otherwise; None: as the common one."""

    mode: ScanMode | None = None
    action: BlockOrWarn | None = None
    policy_action: BlockOrWarn | None = None
    abuse_action: BlockOrWarn | None = None
    personal_action: PersonalAction | None = None
    sensitivity: Sensitivity | None = None


class ScanSettings(Section, frozen=True):
    """
    What is looked for in every prompt. A client's headers go before these defaults; *enforce*
    names those that it may only make stricter.
    """

    enabled: bool = True
    mode: ScanMode = "combined"  # normal: attacks alone; policy_only: content policies alone
    action: BlockOrWarn = "allow_with_warning"  # a new gateway must not break what runs
    policy_action: BlockOrWarn = "allow_with_warning"
    abuse_action: BlockOrWarn | None = None  # None: nobody looks
    personal_action: PersonalAction | None = None
    sensitivity: Sensitivity = "medium"  # low, medium, high: see models/README.md for their rates
    enforce: bool = False  # clients may ask for stricter actions than these, not for milder ones
    refuse_severities: tuple[Severity, ...] = ()  # patterns that are refused with 403, whoever asks
    on_missing: Literal["allow", "refuse"] = "allow"  # no verdict: the scan failed
    restore: bool = False  # put stripped values back into the answer; not in streams with n > 1
    # Of one request: 256 KB of text scan in a few milliseconds. What is longer is read at both
    # ends, and the record says so.
    chars_max: Annotated[int, Meta(ge=1024)] = 262_144
    windows_max: Annotated[int, Meta(ge=1)] = 64  # that the first stage of the attack model reads
    encoder_windows_max: Annotated[int, Meta(ge=0)] = 4  # of these, for the encoder: 4 ms each
    allow: tuple[Allowed, ...] = ()
    policies: tuple[ContentPolicy, ...] = ()
