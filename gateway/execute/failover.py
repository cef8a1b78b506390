"""The only retry loop: from a decision to a reply, over as many deployments as it takes."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from gateway.core.decision import Decision
from gateway.core.errors import (
    CreditsMissing,
    InternalError,
    SpendLimitReached,
    SwitchyardError,
    UpstreamRefused,
    UpstreamThrottled,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from gateway.core.fleet import Deployment
from gateway.core.outcome import Ending, Failure
from gateway.core.request import Request
from gateway.execute.answering import Errand, Permit, answer, free
from gateway.execute.course import Chosen, Course
from gateway.execute.failures import Failed
from gateway.execute.next_step import Progress, Step, next_step
from gateway.execute.reply import Reply
from gateway.execute.tally import CLIENT_GONE_STATUS, Ended, Tally
from gateway.execute.upstreams import Upstreams
from gateway.scan.restore import Restorer
from gateway.wire.registry import DIALECTS


async def execute(
    decision: Decision,
    request: Request,
    upstreams: Upstreams,
    ended: Ended,
    restorer: Restorer | None = None,
    permit: Permit = free,
) -> Reply:
    """
    Answer *request* by the first deployment of the ranking that can. *restorer* puts back into the
    answer what was stripped from the request; *permit* is asked before every attempt.

    *ended* is called exactly once: before this returns a whole answer or raises, or when the stream
    of the reply ends, is closed or is cancelled. It must not raise.

    Raises:
        UpstreamRefused: the request is at fault, in the upstream's own words.
        UpstreamThrottled: all may be asked again after ``retry_after_s``.
        UpstreamTimeout, UpstreamUnavailable: every attempt failed; the last decides which.
        Overloaded: all connections that we allow ourselves are in use.
        PolicyError: the limits of money allow no attempt.
        InvalidRequest: the request cannot be translated for the deployment that was decided on.
    """
    tally = Tally(request.arrived_s, upstreams.clock, ended)
    errand = Errand(decision, request, upstreams, tally, restorer, permit)
    try:
        return await _answer(errand)
    except asyncio.CancelledError:
        tally.end(Ending.CLIENT_GONE, status=CLIENT_GONE_STATUS)
        raise
    except SwitchyardError as error:
        tally.end(Ending.FAILED, status=error.status, error=error.code)
        raise
    except BaseException:
        tally.end(Ending.FAILED, status=InternalError.status, error=InternalError.code)
        raise


async def _answer(errand: Errand) -> Reply:
    upstreams = errand.upstreams
    course = Course(errand.decision, upstreams, errand.request.principal.tenant)
    upstreams.budget.deposit()
    chosen = course.first()
    failures: list[Failed] = []
    retries_here = 0
    while True:
        chosen = await _affordable(errand, course, chosen)
        try:
            return await answer(errand, chosen)
        except Failed as failed:
            failures.append(failed)
        course.failed(chosen, failures[-1])
        step = next_step(
            failures[-1].failure, _progress(errand, course, chosen, failures, retries_here)
        )
        following: Chosen | None = None
        if step is Step.RETRY:
            await asyncio.sleep(_pause_s(errand))
            following = course.again(chosen)
        retries_here = 0 if following is None else retries_here + 1
        if step is Step.OTHER_KEY:
            following = course.with_other_key(chosen)
        if following is None and step is not Step.GIVE_UP:
            following = course.next(course.after(chosen, failures[-1]))
        if following is None:
            raise error_of(failures, chosen.deployment, errand, course.recovery_s())
        upstreams.budget.withdraw(upstreams.clock.monotonic())
        chosen = following


async def _affordable(errand: Errand, course: Course, chosen: Chosen) -> Chosen:
    """
    *chosen*, or the next of the ranking that the limits of money allow: they are held against the
    model that bills.

    Raises:
        PolicyError: they allow none, or no more tokens whatever the model.
    """
    while True:
        try:
            await errand.permit(chosen.deployment, own_key=chosen.key is not None)
        except BaseException as error:
            chosen.standing.abandoned(chosen.permit)
            dear = isinstance(error, SpendLimitReached | CreditsMissing)
            following = course.next(course.available()) if dear else None
            if following is None:
                raise
            chosen = following
        else:
            return chosen


def _progress(
    errand: Errand,
    course: Course,
    chosen: Chosen,
    failures: Sequence[Failed],
    retries_here: int,
) -> Progress:
    upstreams = errand.upstreams
    second_opinions = course.second_opinions(chosen.deployment, failures[-1])
    return Progress(
        retries_here=retries_here,
        deployments_left=len(course.available()),
        second_opinions=len(second_opinions),
        attempts_left=upstreams.reliability.attempts_max - len(failures),
        s_left=errand.s_left,
        budget_left=upstreams.budget.left(upstreams.clock.monotonic()),
        first_byte_sent=False,  # a stream that has begun has left the loop
        other_key=course.other_key(chosen),
    )


def _pause_s(errand: Errand) -> float:
    """Jittered downwards, so that a crowd does not come back as one, and within the time left."""
    upstreams = errand.upstreams
    pause_s = upstreams.reliability.backoff_s * (0.5 + 0.5 * upstreams.random())
    return min(pause_s, max(0.0, errand.s_left))


def error_of(
    failures: Sequence[Failed], last: Deployment, errand: Errand, recovery_s: float | None
) -> SwitchyardError:
    """What the client gets when the attempts have ended in *failures*, the last at *last*."""
    failed = failures[-1]
    if failed.error is not None:
        return failed.error
    if failed.failure is Failure.REFUSED:
        return _refused(failed, last, errand.request)
    if all(one.failure is Failure.THROTTLED for one in failures):
        return UpstreamThrottled(
            "Every deployment that may serve this request has asked us to wait.",
            retry_after_s=recovery_s,
        )
    count = f"{len(failures)} attempt{'s' if len(failures) > 1 else ''}"
    if failed.failure is Failure.LATE:
        return UpstreamTimeout(f"No answer in time after {count}, the last at {last.id}.")
    what = failed.failure.value if failed.status is None else f"HTTP {failed.status}"
    return UpstreamUnavailable(f"No answer after {count}, the last at {last.id}: {what}.")


def _refused(failed: Failed, refused: Deployment, request: Request) -> UpstreamRefused:
    """The upstream's own body where the client speaks its dialect, else its words."""
    status = failed.status if failed.status is not None and failed.status >= 400 else 400
    ours = DIALECTS[refused.dialect].family == DIALECTS[request.dialect].family
    problem = failed.problem
    return UpstreamRefused(
        problem.message if problem is not None else "The provider refused the request.",
        status=status,
        code=(problem.code or problem.kind or None) if problem is not None else None,
        body=failed.body if ours else None,
    )
