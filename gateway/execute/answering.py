"""One attempt to answer a request, and what it tells of the deployment."""

from __future__ import annotations

import functools
from typing import Final, Protocol

import msgspec

from gateway.core.chat import Usage
from gateway.core.decision import Decision
from gateway.core.fleet import Deployment, Fleet
from gateway.core.outcome import Ending, Failure
from gateway.core.request import Request
from gateway.core.transport import UpstreamResponse
from gateway.execute.attempt import T, Use, attempt, begin
from gateway.execute.call import Call, prepare
from gateway.execute.course import Chosen
from gateway.execute.failures import Failed
from gateway.execute.feeds import Feed, Passed, Translated, estimated
from gateway.execute.relay import Relay, Source
from gateway.execute.reply import Reply
from gateway.execute.tally import Tally
from gateway.execute.upstream_headers import reply_headers
from gateway.execute.upstreams import Upstreams
from gateway.execute.whole import Whole, read_whole
from gateway.scan.restore import Restorer

TPOT_TOKENS_MIN: Final = 32  # of a whole answer, whose time to the first token is in the sum
# A deployment is blamed for being late only when it had this share of its own timeout: a client in
# a hurry says nothing about it.
FAIR_SHARE: Final = 0.5


class Permit(Protocol):
    """Asked before every attempt whether the limits of money allow it."""

    async def __call__(self, deployment: Deployment, *, own_key: bool) -> None:
        """Raises PolicyError where they do not. *own_key*: the tenant's own pays the provider."""


async def free(deployment: Deployment, *, own_key: bool) -> None:
    """No limit."""


class Errand(msgspec.Struct, frozen=True):
    """One request on its way, the same for all its attempts."""

    decision: Decision
    request: Request
    upstreams: Upstreams
    tally: Tally
    restorer: Restorer | None = None
    permit: Permit = free

    @property
    def s_left(self) -> float:
        """Seconds until the client's deadline."""
        return self.request.deadline_s - self.upstreams.clock.monotonic()

    @property
    def shown_model(self) -> str | None:
        """The name to show for the model, None for that of the one that serves."""
        return self.request.chat.model if self.upstreams.show_asked else None


async def answer(errand: Errand, chosen: Chosen) -> Reply:
    """
    Ask the *chosen* deployment. By the time this returns or raises, its standing, its key and the
    tally know how it ended; only a stream tells them itself, when it ends.

    Raises:
        Failed: somebody else may be asked.
        InvalidRequest: the request has no translation for this deployment.
    """
    deployment, standing = chosen.deployment, chosen.standing
    start_s = errand.upstreams.clock.monotonic()
    asked = False
    try:
        keep_thinking = keeps_thinking(errand.decision, deployment, errand.upstreams.fleet)
        call = prepare(errand.request, deployment, keep_thinking=keep_thinking)
        asked = True
        form = _stream if errand.request.chat.stream else _whole
        return await form(errand, chosen, call, start_s)
    except BaseException as error:
        failed = error if isinstance(error, Failed) else None
        if asked:
            errand.tally.attempted(
                deployment,
                start_s,
                status=failed.status if failed else None,
                failure=failed.failure if failed else Failure.ABANDONED,
                message=failed.words if failed else "",
                key_id=chosen.key_id,
            )
        if failed is None or failed.blameless or _key_is_to_blame(errand, chosen, failed):
            standing.abandoned(chosen.permit)
        else:
            standing.failed(chosen.permit, failed.failure, failed.retry_after_s)
        raise


def _key_is_to_blame(errand: Errand, chosen: Chosen, failed: Failed) -> bool:
    """
    Whether what was said of a tenant's account says nothing of the deployment, which serves others
    too. The key rests then, where it was the key and not, say, its access to one model.
    """
    if chosen.key is None:
        return False
    if failed.of_key:
        upstreams = errand.upstreams
        upstreams.credentials.refused(
            chosen.key, failed.failure, failed.retry_after_s, upstreams.clock.monotonic()
        )
    return failed.of_key or failed.failure is Failure.DENIED


def keeps_thinking(decision: Decision, deployment: Deployment, fleet: Fleet) -> bool:
    """Whether *deployment* can read the signed reasoning that the client's own model wrote."""
    own = decision.original_model
    if own is None or own == deployment.model:
        return True
    mine, theirs = fleet.models.get(own), fleet.models.get(deployment.model)
    return mine is not None and theirs is not None and mine.family == theirs.family != ""


async def _stream(errand: Errand, chosen: Chosen, call: Call, start_s: float) -> Reply:
    deployment, request, upstreams = chosen.deployment, errand.request, errand.upstreams
    timeouts = deployment.timeouts
    feed = _feed(errand, call)

    async def first(response: UpstreamResponse) -> tuple[UpstreamResponse, bytes]:
        held = await begin(response, feed, upstreams.reliability.precommit_bytes_max)
        return response, held

    own_s = min(timeouts.first_token_s, timeouts.total_s)
    response, head = await _attempt(errand, chosen, call, own_s, first)
    chosen.standing.answering(chosen.permit)
    if chosen.key is not None:
        upstreams.credentials.worked(chosen.key)
    source = Source(
        deployment=deployment,
        standing=chosen.standing,
        client=call.client,
        response=response,
        feed=feed,
        head=head,
        request_id=request.id,
        tokens_in=errand.decision.tokens_in,
        start_s=start_s,
        first_s=upstreams.clock.monotonic(),
        until_s=min(start_s + timeouts.total_s, request.deadline_s),
        key_id=chosen.key_id,
    )
    return Reply(
        status=200,
        content_type="text/event-stream; charset=utf-8",
        headers=reply_headers(response.headers),
        deployment=deployment,
        attempts=tuple(errand.tally.attempts),
        stream=Relay(source, errand.tally),
        warnings=call.losses,
    )


def _feed(errand: Errand, call: Call) -> Feed:
    event_bytes_max = errand.upstreams.server.event_bytes_max
    # Events of several choices are not read one by one: placeholders stay in such a stream.
    restorer = errand.restorer if errand.request.chat.n == 1 else None
    if not call.translated and restorer is None:
        return Passed(
            call.client, event_bytes_max, drop_usage=call.drop_usage, model=errand.shown_model
        )
    return Translated(
        call.upstream,
        call.client,
        event_bytes_max,
        answer_id=errand.request.id,
        model=errand.shown_model or call.deployment.upstream_model,
        created_s=int(errand.upstreams.clock.wall()),
        include_usage=errand.request.chat.include_usage,
        restorer=restorer,
    )


async def _whole(errand: Errand, chosen: Chosen, call: Call, start_s: float) -> Reply:
    deployment, clock = chosen.deployment, errand.upstreams.clock
    read = functools.partial(
        read_whole,
        call=call,
        answer_bytes_max=errand.upstreams.server.answer_bytes_max,
        model=errand.shown_model,
        created_s=int(errand.upstreams.clock.wall()),
        restorer=errand.restorer,
    )
    whole: Whole = await _attempt(errand, chosen, call, deployment.timeouts.total_s, read)
    now_s = clock.monotonic()
    usage = whole.usage or estimated(
        Usage(tokens_in=errand.decision.tokens_in), whole.content_chars
    )
    known = usage.tokens_out >= TPOT_TOKENS_MIN
    chosen.standing.succeeded(
        chosen.permit, tpot_s=(now_s - start_s) / usage.tokens_out if known else None
    )
    if chosen.key is not None:
        errand.upstreams.credentials.worked(chosen.key)
    errand.tally.attempted(deployment, start_s, status=whole.status, key_id=chosen.key_id)
    errand.tally.end(
        Ending.COMPLETE,
        status=whole.status,
        deployment=deployment,
        finish=whole.finish,
        usage=usage,
        first_byte_s=now_s,
    )
    return Reply(
        status=whole.status,
        content_type=whole.content_type,
        headers=whole.headers,
        deployment=deployment,
        attempts=tuple(errand.tally.attempts),
        body=whole.body,
        warnings=call.losses,
    )


async def _attempt(errand: Errand, chosen: Chosen, call: Call, own_s: float, use: Use[T]) -> T:
    """
    Within the deployment's own time *own_s* and the client's deadline. A whole answer has no first
    token to wait for, so only its total time bounds it.
    """
    upstreams = errand.upstreams
    limit_s = max(0.0, min(own_s, errand.s_left))
    try:
        transport = upstreams.transport(call.deployment, chosen.key)
        return await attempt(call, transport, limit_s, upstreams.clock.wall(), use)
    except Failed as failed:
        if failed.failure is Failure.LATE and limit_s < FAIR_SHARE * own_s:
            failed.blameless = True
        raise
