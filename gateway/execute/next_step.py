"""What to do after a failed attempt. Pure: ``failover`` obeys."""

from __future__ import annotations

import enum

import msgspec

from gateway.core.outcome import Failure


class Step(enum.StrEnum):
    """The ways on."""

    RETRY = "retry"  # the same deployment again
    OTHER_KEY = "other_key"  # the same deployment with another key of the tenant
    FAILOVER = "failover"  # the next deployment of the ranking
    GIVE_UP = "give_up"  # answer the client with the failure


class Progress(msgspec.Struct, frozen=True):
    """Where one request stands after an attempt."""

    retries_here: int  # attempts already repeated on this deployment
    deployments_left: int  # untried and available
    second_opinions: int  # of those, the ones that may accept what this one refused
    attempts_left: int  # of the most that one request may make
    s_left: float  # seconds until the client's deadline
    budget_left: bool  # the retry budget allows one more attempt
    first_byte_sent: bool  # the client has begun to read an answer
    other_key: bool = False  # it was a key that failed, and the tenant has another


MIN_ATTEMPT_S = 0.5  # below this an upstream cannot produce a first token


def next_step(failure: Failure, progress: Progress) -> Step:
    """
    Choose between repeating, moving on and giving up.

    After the first byte there is no second attempt: the client would read the head of one answer
    and the tail of another. A THROTTLED deployment is never retried: it has asked us to stay away.
    A BROKEN attempt may be billed all the same, and what broke is likely to break again, so the
    same deployment is asked once more only when no other is left. What one deployment REFUSED only
    those are asked for which the refusal need not hold. Another key comes before another
    deployment: the one that was decided on is not at fault.
    """
    if progress.first_byte_sent or not progress.budget_left or progress.attempts_left < 1:
        return Step.GIVE_UP
    if progress.s_left < MIN_ATTEMPT_S:
        return Step.GIVE_UP
    if progress.other_key:
        return Step.OTHER_KEY
    left = progress.second_opinions if failure is Failure.REFUSED else progress.deployments_left
    if left:
        return Step.FAILOVER
    again = failure is Failure.BROKEN and progress.retries_here == 0
    return Step.RETRY if again else Step.GIVE_UP
