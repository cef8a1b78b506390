"""How the attempts for one request ended."""

from __future__ import annotations

import enum

import msgspec

from gateway.core.chat import Finish, Usage


class Failure(enum.StrEnum):
    """Why an attempt failed, in our words; every dialect's errors map to these."""

    REFUSED = "refused"  # 400, 413, 422: this request fails the same way anywhere
    DENIED = "denied"  # 401, 402, 403, 404: our account at this deployment
    THROTTLED = "throttled"  # 429, or the dialect's "overloaded"
    BROKEN = "broken"  # 5xx, connection lost, malformed answer
    LATE = "late"  # no connection or no token in time
    ABANDONED = "abandoned"  # we or the client left before it ended: says nothing of the deployment


class Ending(enum.StrEnum):
    """How a request ended, seen from the client."""

    COMPLETE = "complete"
    TRUNCATED = "truncated"  # the answer broke off after its first content: an error event said so
    CLIENT_GONE = "client_gone"
    FAILED = "failed"  # an error instead of an answer


class Attempt(msgspec.Struct, frozen=True):
    """
    One upstream call. Times in seconds; *start_s* counts from the arrival of the request. *key_id*
    names the tenant's own provider key it was made with, "" is the operator's.
    """

    deployment: str
    start_s: float
    duration_s: float  # to the end of the attempt, or of its stream
    status: int | None  # HTTP status, None when there was no answer
    failure: Failure | None
    ttft_s: float | None = None  # from start_s to the first content
    message: str = ""  # kind and code of the upstream's error, or our words; never prompt text
    key_id: str = ""

    @property
    def own_key(self) -> bool:
        """The tenant pays the provider itself."""
        return self.key_id != ""


class Saved(msgspec.Struct, frozen=True):
    """
    What an answer from the response cache saved: the *usage* and the cost of the answer when it was
    made, *age_s* seconds ago.
    """

    usage: Usage
    cost_nano_usd: int
    age_s: float

    @property
    def tokens(self) -> int:
        """Of the input and of the output."""
        return self.usage.tokens_in + self.usage.tokens_out


class Outcome(msgspec.Struct, frozen=True):
    """
    The end of one request. *deployment* answered, "" when none did. *usage* is what is billed,
    flagged when estimated, None when no attempt produced anything. *saved*: the answer came from
    the response cache, so nobody was asked and nothing is billed; *deployment* made it then.
    """

    ending: Ending
    status: int  # that the client saw
    deployment: str
    attempts: tuple[Attempt, ...]
    finish: Finish | None
    usage: Usage | None
    cost_nano_usd: int  # of *usage*, as *deployment* bills it; 0 without usage
    ttft_s: float | None  # from arrival to the first content byte we sent
    duration_s: float  # from arrival to the last byte
    error: str = ""  # code of the error that the client saw
    saved: Saved | None = None
