"""Records keep everything, and show clients the decision object."""

from __future__ import annotations

import json

import msgspec
import pytest

from gateway.core.health import Health
from gateway.record.record import Feedback, Record, View, rbaos_view
from gateway.record.rows import (
    Unencodable,
    feedback_row,
    read_record,
    read_view,
    record_row,
    view_row,
)
from tests.gateway.record.records import RECORD, make_decision, make_outcome, make_record


@pytest.mark.parametrize(
    "record",
    [
        RECORD,
        make_record(text="naïve — ещё 漢字\n\0"),
        make_record(outcome=make_outcome(usage=None, ttft_s=None, finish=None)),
    ],
)
def test_records_survive_json(record):
    """What is read back equals what was put, floats and sets of capabilities included."""
    assert read_record(record_row(record)["payload"]) == record


def test_records_of_another_shape_are_none():
    """A payload that this version cannot read is no error."""
    assert read_record(b'{"request_id":1}') is None
    assert read_view(b"[") is None


def test_records_hold_no_text_unless_asked():
    """The words of a prompt have one place in a record, and it is empty by default."""
    assert RECORD.text is None
    assert b'"text":null' in record_row(RECORD)["payload"]


def test_views_survive_json():
    """Health is exact to the last bit, because its version is a hash of it."""
    view = View("v1", {"p/small": Health(requests=3, error_share=1 / 3, ttft_s_p50=0.1 + 0.2)})

    assert read_view(view_row(view, used_s=1.0)["payload"]) == view


def test_records_without_json_are_refused():
    """Half of a character has no UTF-8, so such a record can never be stored."""
    with pytest.raises(Unencodable, match="req_0"):
        record_row(make_record(path="/v1/\ud800"))


def test_feedback_is_made_storable():
    """Comments lose NUL and halves of characters, which a database may refuse for ever."""
    row = feedback_row(Feedback("req_0", 1.0, 5.0, "k1", comment="a\0b\ud800"))

    assert row["comment"] == "ab?"


def test_records_from_before_the_fee_was_settled():
    """What an older version did not write is 0, not unreadable."""
    old = json.loads(record_row(RECORD)["payload"])
    del old["savings_nano_usd"], old["fee_settled_nano_usd"]

    assert read_record(json.dumps(old).encode()) == make_record(
        savings_nano_usd=0, fee_settled_nano_usd=0
    )


def test_rbaos_view_of_a_served_request():
    """The decision object has its public names and units."""
    assert json.loads(msgspec.json.encode(rbaos_view(RECORD))) == {
        "incomingModel": "large",
        "requestSignals": {
            "inputTokens": 120,
            "hasToolUse": True,
            "hasVision": False,
            "requiresJson": False,
            "systemPromptLength": 80,
        },
        "matchedRule": None,
        "recommendedModel": "small",
        "providerHealthy": True,
        "estimatedCostUSD": 0.001,
        "withinCostLimit": True,
        "finalModel": "small",
        "routingLatencyMs": 3.7,
    }


@pytest.mark.parametrize(
    ("changes", "recommended", "final"),
    [
        ({"model": "large"}, "small", "large"),
        ({"model": ""}, "small", ""),
        (
            {"decision": make_decision(model="large", would="small"), "model": "large"},
            "small",
            "large",
        ),
    ],
)
def test_rbaos_view_tells_what_was_recommended_from_what_answered(changes, recommended, final):
    """After a failover, a failure or under observe the two models differ."""
    seen = rbaos_view(make_record(**changes))

    assert (seen["recommendedModel"], seen["finalModel"]) == (recommended, final)


def test_records_are_frozen():
    """Nobody changes a record on its way to the writer."""
    with pytest.raises(AttributeError):
        RECORD.model = "x"
    assert isinstance(RECORD, Record)
