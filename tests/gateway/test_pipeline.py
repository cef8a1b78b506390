"""The plot: what happens to one request, and what happens when a part of ours fails."""

from __future__ import annotations

import logging
from types import SimpleNamespace

import msgspec
import pytest

from gateway.choosing import BLIND, Routing, choose, unsent
from gateway.core.chat import Usage
from gateway.core.clock import SystemClock
from gateway.core.errors import InternalError, ModelNotFound
from gateway.core.request import Controls, RouteAction
from gateway.pipeline import record_of
from gateway.reading import Readers
from gateway.wire.registry import DIALECTS
from models.scores import UNASKED
from tests.gateway.decide.samples import Desk, fleet_of, scores
from tests.gateway.record.records import OUTCOME

AUTO = Controls(action=RouteAction.AUTO)
SECRET = "my prompt is a secret"


class Broken(Exception):
    """A fault of ours, whose message quotes the prompt."""


class Classifier:
    """Answers *found*, or fails with it."""

    version = "c1"

    def __init__(self, found):
        self.found = found

    async def submit(self, text):
        """What a real one returns."""
        if isinstance(self.found, Exception):
            raise self.found
        return self.found


def asked(model, controls=AUTO):
    """A request for *model*."""
    body = {"model": model, "messages": [{"role": "user", "content": SECRET}]}
    chat = DIALECTS["openai_chat"].read(msgspec.json.encode(body))
    return unsent(chat, SystemClock(), controls)


async def chosen(model, found, controls=AUTO, routing=None):
    """What is chosen for a request for *model* when the classifier answers *found*."""
    desk = Desk()
    routing = routing or Routing(desk.policies, desk.view)
    readers = Readers(Classifier(found), None, SystemClock())
    return await choose(asked(model, controls), readers, routing)


async def test_a_request_is_read_and_decided():
    """Scores come from the classifier, and the decision names its version."""
    found = await chosen("gpt-4", scores())

    assert found.decision.task_type == "Summarization"
    assert found.decision.versions.classifier == "c1"
    assert BLIND not in found.decision.warnings


@pytest.mark.parametrize(("model", "answers"), [("gpt-4", "gpt-4"), ("auto", "gpt-4o")])
async def test_a_fault_of_routing_is_not_the_clients_error(model, answers, caplog):
    """A named model answers as asked, a virtual one is taken for a medium prompt."""
    with caplog.at_level(logging.ERROR):
        found = await chosen(model, Broken(SECRET))

    assert found.decision.model == answers
    assert found.decision.warnings == (BLIND,)
    assert found.reading.scores is UNASKED
    assert "Broken" in caplog.text
    assert "in submit" in caplog.text
    assert SECRET not in caplog.text


async def test_a_fault_does_not_hide_the_clients_own():
    """A model that is not here is not here, whatever else fails."""
    with pytest.raises(ModelNotFound):
        await chosen("gpt-9", Broken(SECRET))


async def test_a_fault_of_deciding_itself_is_ours():
    """Where even the blind decision fails, the client hears that it is not at fault."""
    other = Desk(fleet_of())
    with pytest.raises(InternalError):
        await chosen("gpt-4", scores(), routing=Routing(Desk().policies, other.view))


@pytest.mark.parametrize(
    ("model", "deployment", "savings", "fee"),
    [
        # A thousand tokens of each: 0.09 USD at gpt-4, billed 0.01.
        ("gpt-4", "groq/llama-3-8b", 80_000_000, 4_000_000),
        ("auto", "groq/llama-3-8b", 80_000_000, 4_000_000),  # against the baseline
        ("gpt-4", "openai/gpt-4", 0, 0),  # a failover: the decided model did not answer
        ("gpt-4", "", 0, 0),
    ],
)
async def test_savings_are_settled_where_the_decided_model_answered(
    model, deployment, savings, fee
):
    """The record has what the answer saved at its actual usage, and the fee for that."""
    found = await chosen(model, scores())
    usage = Usage(tokens_in=1000, tokens_out=1000)
    outcome = msgspec.structs.replace(
        OUTCOME, deployment=deployment, usage=usage, cost_nano_usd=10_000_000
    )
    gateway = SimpleNamespace(clock=SystemClock(), keep_text=False)
    # A short prompt is in doubt; only what was decided matters here.
    decision = msgspec.structs.replace(
        found.decision, model="llama-3-8b", routed=True, ranking=("groq/llama-3-8b",)
    )
    record = record_of(msgspec.structs.replace(found, decision=decision), outcome, gateway)

    assert (record.savings_nano_usd, record.fee_settled_nano_usd) == (savings, fee)


@pytest.mark.parametrize(("keep_text", "text"), [(True, SECRET), (False, None)])
@pytest.mark.parametrize("action", [RouteAction.DISABLED, RouteAction.AUTO])
async def test_text_is_kept_where_the_operator_wants_it(action, keep_text, text):
    """Also of a request that nobody had to understand, because routing was off."""
    controls = Controls(action=action)
    found = await chosen("gpt-4", scores(), controls)
    gateway = SimpleNamespace(clock=SystemClock(), keep_text=keep_text)

    record = record_of(found, OUTCOME, gateway)

    assert record.text == text
    assert found.reading.excerpt == ("" if action is RouteAction.DISABLED else SECRET)
