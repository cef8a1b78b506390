"""What went wrong at an upstream, in our words: statuses, errors in streams, broken connections."""

from __future__ import annotations

import email.utils
import math
import re
from collections.abc import Mapping

import msgspec

from gateway.core.errors import Overloaded, SwitchyardError, UpstreamUnavailable
from gateway.core.outcome import Failure
from gateway.core.transport import TransportError
from gateway.execute.key_mask import KeyMask
from gateway.wire.dialect import TOO_LONG, Problem

WORDS_CHARS_MAX = 200  # of what is said of a failure in our records
NAME = re.compile(r"[\w.:/-]{1,64}")  # a kind or a code, as opposed to a sentence

# Statuses that say something else than their hundred does: 4xx REFUSED, everything else BROKEN.
STATUSES = {
    401: Failure.DENIED,
    402: Failure.DENIED,
    403: Failure.DENIED,
    404: Failure.DENIED,  # our paths are right: it is the model or the account
    405: Failure.DENIED,
    407: Failure.DENIED,
    408: Failure.LATE,
    409: Failure.BROKEN,  # a lock at the provider; the SDKs retry it too
    421: Failure.BROKEN,
    425: Failure.BROKEN,
    429: Failure.THROTTLED,
    499: Failure.BROKEN,
    504: Failure.LATE,
    524: Failure.LATE,  # Cloudflare waited for the provider in vain
    529: Failure.THROTTLED,  # Anthropic's "overloaded"
}

# Words of the upstream that say more than its status; as ``code`` or ``type`` of its error.
WORDS = {
    "invalid_api_key": Failure.DENIED,
    "authentication_error": Failure.DENIED,
    "permission_error": Failure.DENIED,
    "billing_error": Failure.DENIED,
    "insufficient_quota": Failure.DENIED,  # a 429 that waiting does not cure
    "model_not_found": Failure.DENIED,
    "not_found_error": Failure.DENIED,
    "rate_limit_exceeded": Failure.THROTTLED,
    "rate_limit_error": Failure.THROTTLED,
    "overloaded_error": Failure.THROTTLED,
    "timeout_error": Failure.LATE,
}

# Of an account, not of the place: with another key the answer may be another.
KEY_STATUSES = frozenset({401, 402, 403, 429})
KEY_WORDS = frozenset({
    "invalid_api_key", "authentication_error", "permission_error", "billing_error",
    "insufficient_quota", "rate_limit_exceeded", "rate_limit_error",
})  # fmt: skip
MODEL_WORDS = frozenset({"model_not_found", "not_found_error"})  # the key serves other models

# Only inside a stream, where no status says it.
STREAM_WORDS = {
    **WORDS,
    TOO_LONG: Failure.REFUSED,
    "invalid_request_error": Failure.REFUSED,
    "request_too_large": Failure.REFUSED,
}


class Failed(Exception):
    """
    An attempt failed before the client got a byte.

    *words* are for records and never hold prompt text. *body* is the upstream's own error body.
    *error*, where there is one, is what the client gets if nothing else succeeds. *blameless*: the
    cause were limits of ours or the client's, so it says nothing of the deployment.
    """

    def __init__(
        self,
        failure: Failure,
        words: str,
        *,
        status: int | None = None,
        problem: Problem | None = None,
        body: bytes | None = None,
        retry_after_s: float | None = None,
        error: SwitchyardError | None = None,
        blameless: bool = False,
    ) -> None:
        super().__init__(words)
        self.failure = failure
        self.words = words[:WORDS_CHARS_MAX]
        self.status = status
        self.problem = problem
        self.body = body
        self.retry_after_s = retry_after_s
        self.error = error
        self.blameless = blameless

    @property
    def too_long(self) -> bool:
        """The prompt does not fit this deployment's context."""
        return self.problem is not None and self.problem.code == TOO_LONG

    def hide(self, key: KeyMask) -> None:
        """Show no client a key that the upstream has quoted."""
        if self.body is not None:
            self.body = key.whole(self.body)
        if self.problem is not None:
            message = key.text(self.problem.message)
            self.problem = msgspec.structs.replace(self.problem, message=message)

    @property
    def of_key(self) -> bool:
        """The provider would not serve the key that was asked with, whatever the model."""
        if self.failure not in {Failure.DENIED, Failure.THROTTLED}:
            return False
        words = {self.problem.code, self.problem.kind} if self.problem is not None else set()
        if words & MODEL_WORDS:
            return False
        return self.status in KEY_STATUSES or bool(words & KEY_WORDS)


def failed_status(
    status: int, headers: Mapping[str, str], problem: Problem, body: bytes, wall_s: float
) -> Failed:
    """The failure of an answer that is none. *wall_s*: now, for a Retry-After that is a date."""
    wait_s = retry_after_s(headers, wall_s)
    failure = STATUSES.get(status)
    if failure is None:
        failure = Failure.REFUSED if 400 <= status < 500 else Failure.BROKEN
        if 300 <= status < 400:
            failure = Failure.DENIED  # a redirect: the base URL is wrong
    if status == 503 and wait_s is not None:
        failure = Failure.THROTTLED
    failure = WORDS.get(problem.code) or WORDS.get(problem.kind) or failure
    return Failed(
        failure,
        words_of(problem),
        status=status,
        problem=problem,
        body=body,
        retry_after_s=wait_s,
    )


def failed_stream(problem: Problem) -> Failed:
    """The failure of a stream that began with an error."""
    failure = STREAM_WORDS.get(problem.code) or STREAM_WORDS.get(problem.kind) or Failure.BROKEN
    return Failed(failure, words_of(problem), status=200, problem=problem)


def failed_transport(error: TransportError) -> Failed:
    """The failure of a connection."""
    if error.kind == "busy":
        full = Overloaded("All connections to the provider are in use.", retry_after_s=1.0)
        return Failed(Failure.LATE, str(error), error=full, blameless=True)
    if error.kind == "forbidden":
        refused = endpoint_refused(str(error))
        return Failed(Failure.DENIED, str(error), error=refused, blameless=True)
    return Failed(Failure.LATE if error.kind == "late" else Failure.BROKEN, str(error))


def endpoint_refused(words: str) -> UpstreamUnavailable:
    """What a tenant is told whose own endpoint we do not call, because of *words*."""
    return UpstreamUnavailable(
        f"The endpoint of your own provider key is refused: {words} "
        "The operator of this gateway can allow its host in server.endpoint_hosts.",
        code="endpoint_refused",
    )


def retry_after_s(headers: Mapping[str, str], wall_s: float) -> float | None:
    """
    Seconds until the upstream wants to see us again: ``retry-after-ms``, or ``retry-after`` as
    seconds or as an HTTP date. None when it says nothing readable, never negative.
    """
    millis = _number(headers.get("retry-after-ms", ""))
    if millis is not None:
        return max(0.0, millis / 1000)
    text = headers.get("retry-after", "")
    seconds = _number(text)
    if seconds is None and text:
        try:
            seconds = email.utils.parsedate_to_datetime(text).timestamp() - wall_s
        except (ValueError, OverflowError):
            return None
    return None if seconds is None else max(0.0, seconds)


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def words_of(problem: Problem) -> str:
    """For our records: kind and code, never the message, which may quote the prompt or a key."""
    return " ".join(name for name in (problem.kind, problem.code) if NAME.fullmatch(name))
