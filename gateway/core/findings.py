"""What the scan of a request found: spans of its texts, and how sure we are of an attack."""

from __future__ import annotations

import enum

import msgspec

from models.scores import ATTACKS as ATTACKS  # what is scanned for


class Severity(enum.StrEnum):
    """How bad a finding is by itself, whatever the operator's thresholds."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


SEVERITIES = tuple(Severity)  # from least to worst


class Source(enum.StrEnum):
    """Who wrote a text that is scanned. What the human did not write is judged apart."""

    ASK = "ask"  # a human turn, the last or an earlier one
    SYSTEM = "system"  # system prompt, tool descriptions
    ASSISTANT = "assistant"
    TOOL = "tool"  # a tool's result, a document


class Finding(msgspec.Struct, frozen=True):
    """
    One span of one scanned text. *kind* is one of ATTACKS, a type of personal data or of a secret
    (``EMAIL_ADDRESS``, ``API_KEY``), or "policy" or "abuse". *id* names the pattern, the policy or
    the model that found it. *start* and *end* count characters of the text as it was sent, end
    exclusive; *place* is the index of that text among those scanned. Never holds the text itself.
    """

    kind: str
    id: str
    severity: Severity
    start: int
    end: int
    score: float = 1.0  # 0 to 1: probability, 1 where a checksum or a pattern leaves no doubt
    place: int = 0
