"""The outcome of one request."""

from __future__ import annotations

import msgspec

from gateway.core.chat import Finish, Usage
from gateway.core.fleet import CONFIGURED
from gateway.core.outcome import Ending, Failure, Outcome
from gateway.execute.tally import Tally
from tests.fakes.clock import ManualClock
from tests.gateway.execute.samples import PRICE, deployment


def test_tally_tells_once() -> None:
    """Times count from the arrival, the cost is that of the usage, and a second end is none."""
    clock = ManualClock()
    told: list[Outcome] = []
    tally = Tally(clock.monotonic() - 1.0, clock, told.append)
    there = deployment("a/1", "http://a")
    start_s = clock.monotonic()
    clock.advance(0.5)
    tally.attempted(there, start_s, status=500, failure=Failure.BROKEN, message="boom")
    first_byte_s = clock.monotonic()
    clock.advance(2.0)

    for ending in (Ending.COMPLETE, Ending.FAILED):
        tally.end(
            ending,
            status=200,
            deployment=there,
            finish=Finish.STOP,
            usage=Usage(tokens_in=1000, tokens_out=10),
            first_byte_s=first_byte_s,
        )

    (outcome,) = told
    assert outcome.ending is Ending.COMPLETE
    assert outcome.cost_nano_usd == 1000 * 1000 + 10 * 2000
    assert (outcome.ttft_s, outcome.duration_s) == (1.5, 3.5)
    (attempt,) = outcome.attempts
    assert (attempt.start_s, attempt.duration_s, attempt.message) == (1.0, 0.5, "boom")


def test_what_the_provider_says_it_charges_is_billed() -> None:
    """Unless the operator states a price for the place."""
    told: list[Outcome] = []
    usage = Usage(tokens_in=1000, tokens_out=10, reported_pico_usd=5_000_000)
    for source in ("", CONFIGURED):
        price = msgspec.structs.replace(PRICE, source=source)
        there = deployment("a/1", "http://localhost", price=price)
        tally = Tally(0.0, ManualClock(), told.append)
        tally.end(Ending.COMPLETE, status=200, deployment=there, usage=usage)

    assert [outcome.cost_nano_usd for outcome in told] == [5000, 1000 * 1000 + 10 * 2000]


def test_tally_of_a_request_that_nobody_answered() -> None:
    """Nothing is billed and nobody is named."""
    told: list[Outcome] = []
    Tally(0.0, ManualClock(), told.append).end(Ending.FAILED, status=502, error="provider_error")

    assert (told[0].deployment, told[0].usage, told[0].cost_nano_usd) == ("", None, 0)
    assert told[0].error == "provider_error"
