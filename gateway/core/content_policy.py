"""What the operator does not want asked, in the operator's own words."""

from __future__ import annotations

from typing import Literal

import msgspec

# Measured with the hashed words of scan.likeness, see bench/content_policies.py. With these an
# example that has no word in common with a prompt cannot be found, whatever the threshold.
EXAMPLE_THRESHOLD = 0.4
HARM_MIN = 0.5


class PolicyCategory(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A name that is told to the client with a violation."""

    name: str
    description: str = ""


class ContentPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """
    One policy. Any of *patterns*, *phrases*, *examples* and *harm* triggers it; one must be given.

    *patterns* are regular expressions in the syntax of re2 (no look-around, no back-reference),
    case ignored. *phrases* are words, found as they are written, case and the width of spaces
    ignored. *examples* are sentences that should be found, also in other words: one that is at
    least as like as *threshold*, 0 to 1, triggers, unless one of the *negative_examples* is as
    like. *harm* are kinds of attack (gateway.core.findings.ATTACKS) that
    trigger from the probability *harm_min*, 0 to 1, on.

    *action* None: what the request or its project says. *projects* empty: all.
    """

    name: str
    description: str = ""
    categories: tuple[PolicyCategory, ...] = ()
    patterns: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()
    negative_examples: tuple[str, ...] = ()
    threshold: float = EXAMPLE_THRESHOLD
    harm: tuple[str, ...] = ()
    harm_min: float = HARM_MIN
    action: Literal["block", "allow_with_warning"] | None = None
    projects: tuple[str, ...] = ()
