"""What the scan says of one request, for headers, errors, decisions and records."""

from __future__ import annotations

import msgspec

from gateway.core.findings import Finding
from gateway.scan.abuse import AbuseReport
from gateway.scan.policies import Violation
from gateway.scan.wishes import Wishes


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """
    *attacked*: the *risk*, 0 to 1, is .5 or more. It is the probability of the likeliest *attack*,
    "" where nobody looked, on a scale on which the threshold of the sensitivity is .5. *scores*
    are the probabilities of each kind, 0 to 1, the worst text decides; empty where nobody looked.
    *findings* are of attacks, *personal* of personal data and secrets; none holds a word of the
    text.

    *texts* and *windows* were read, *encoded* of these by the encoder. *truncated*: there was more
    text than the limit. *missing*: the scan failed, so nothing is known. *took_s*: stripping,
    patterns and guard, in seconds, without the wait for the encoder.
    """

    wishes: Wishes
    attacked: bool = False
    risk: float = 0.0
    attack: str = ""
    scores: dict[str, float] = {}
    findings: tuple[Finding, ...] = ()
    personal: tuple[Finding, ...] = ()
    violations: tuple[Violation, ...] = ()
    abuse: AbuseReport | None = None
    stripped: bool = False  # what *personal* names was taken out before anybody read on
    texts: int = 0
    chars: int = 0
    windows: int = 0
    encoded: int = 0
    truncated: bool = False
    missing: bool = False
    took_s: float = 0.0

    @property
    def safe(self) -> bool:
        """Neither an attack nor against a content policy."""
        return not self.attacked and not self.violations

    @property
    def confidence(self) -> float:
        """That *attacked* is right, 0 to 1."""
        return self.risk if self.attacked else 1.0 - self.risk

    @property
    def policy_confidence(self) -> float:
        """The surest violation, 0 to 1; without any that there is none."""
        return max((one.confidence for one in self.violations), default=1.0)
