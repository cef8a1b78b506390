"""Controls of every family, from headers and body."""

from __future__ import annotations

import msgspec
import pytest
from lockllm import ProxyOptions, build_lockllm_headers
from multidict import CIMultiDict

from gateway.api.controls import ControlReader, own_members
from gateway.core.errors import InvalidRequest
from gateway.core.request import Controls, RouteAction

READER = ControlReader(["night"])
SDK = {"X-Stainless-Lang": "python", "x-stainless-retry-count": "0", "Authorization": "Bearer k"}


def read(headers=(), spoken=(), **members):
    """Controls of a request with these headers, and body members with a dash for each ``__``."""
    extra = {name.replace("__", "-"): msgspec.json.encode(value) for name, value in members.items()}
    return READER.read(CIMultiDict(headers), extra, spoken)


def test_a_client_that_says_nothing():
    """Headers of SDKs are no controls."""
    assert read(SDK, logit_bias={"1": 2}) == Controls()


@pytest.mark.parametrize(
    ("name", "value", "field", "expected"),
    [
        ("X-Switchyard-Route-Action", "observe", "action", RouteAction.OBSERVE),
        ("x-switchyard-mode", "cost", "mode", "eco"),
        ("X-Switchyard-Mode", "night", "mode", "night"),
        ("X-Switchyard-Prefer-Model", "gpt-4o", "prefer_model", "gpt-4o"),
        ("X-Switchyard-Task", "code-generation", "task_hint", "Code Generation"),
        ("X-Switchyard-Task", "code-review", "task_hint", "code-review"),
        ("X-Switchyard-Max-Cost-USD", "0.01", "cost_usd_max", 0.01),
        ("X-Switchyard-Min-Quality", "0.8", "quality_min", 0.8),
        ("X-Switchyard-Region", "EU", "regions", ("eu",)),
        ("X-Switchyard-Regions", "eu, us", "regions", ("eu", "us")),
        ("X-Switchyard-Metadata", "team=a", "metadata", {"team": "a"}),
        ("X-Switchyard-Session-Id", "s1", "session_id", "s1"),
        ("X-LockLLM-Route-Action", "custom", "action", RouteAction.CUSTOM),
        ("X-Prism-Mode", "sport", "mode", "sport"),
        ("X-Prism-Model-Prefer", "gpt-4o", "prefer_model", "gpt-4o"),
        ("X-Session-Id", "s1", "session_id", "s1"),
        ("X-Conversation-Id", "s1", "session_id", "s1"),
        ("X-Claude-Code-Session-Id", "s1", "session_id", "s1"),
    ],
)
def test_headers(name, value, field, expected):
    """Each header sets its one control and warns of nothing."""
    controls = read({name: value})

    assert getattr(controls, field) == expected
    assert controls.warnings == ()


@pytest.mark.parametrize(
    ("member", "field", "expected"),
    [
        ({"route_action": "auto"}, "action", RouteAction.AUTO),
        ({"mode": "quality"}, "mode", "quality"),
        ({"prefer_model": "gpt-4o"}, "prefer_model", "gpt-4o"),
        ({"task": "x"}, "task_hint", "x"),
        ({"max_cost_usd": 1}, "cost_usd_max", 1.0),
        ({"min_quality": 0.5}, "quality_min", 0.5),
        ({"regions": ["EU"]}, "regions", ("eu",)),
        ({"metadata": {"team": "a"}}, "metadata", {"team": "a"}),
        ({"session_id": "s"}, "session_id", "s"),
    ],
)
def test_body_member(member, field, expected):
    """SDKs without access to headers say the same in ``switchyard``."""
    controls = read(switchyard=member)

    assert getattr(controls, field) == expected
    assert controls.families == ("switchyard",)


def test_null_says_nothing():
    """An SDK writes null for an option that was not given."""
    assert read(switchyard={"mode": None}, x__task__type=None) == Controls()


@pytest.mark.parametrize("name", ["x__task__type", "taskLabel"])
def test_task_hint_in_the_body(name):
    """Rule-based gateways are hinted at by a member of the body, which makes no family spoken."""
    assert read(**{name: "code-review"}) == Controls(task_hint="code-review")


def test_dispatch_members_count_on_its_path_only():
    """Elsewhere ``session_id`` belongs to the provider."""
    members = {"routing_mode": "cost", "session_id": "s"}

    assert read(**members) == Controls()
    assert read(spoken=("neuralrouting",), **members) == Controls(
        mode="eco", session_id="s", families=("neuralrouting",)
    )


@pytest.mark.parametrize(
    ("headers", "members", "param", "message"),
    [
        (
            {"X-Switchyard-Route-Action": "fast"},
            {},
            "X-Switchyard-Route-Action",
            "X-Switchyard-Route-Action is 'fast'; it must be one of disabled, auto, custom, "
            "observe.",
        ),
        (
            {"X-LockLLM-Route-Action": "observe"},
            {},
            "X-LockLLM-Route-Action",
            "X-LockLLM-Route-Action is 'observe'; it must be one of disabled, auto, custom.",
        ),
        (
            {"X-Prism-Mode": "speed"},
            {},
            "X-Prism-Mode",
            "X-Prism-Mode is 'speed'; it must be one of eco, balanced, sport.",
        ),
        (
            {"X-LockLLM-PII-Action": "redact"},
            {},
            "X-LockLLM-PII-Action",
            "X-LockLLM-PII-Action is 'redact'; it must be one of strip, block, allow_with_warning.",
        ),
        (
            {},
            {"switchyard": {"min_quality": 7}},
            "switchyard.min_quality",
            "switchyard.min_quality is 7.0; it must be a number from 0 to 1.",
        ),
        (
            {},
            {"x__task__type": 3},
            "x-task-type",
            "x-task-type is 3.0; it must be 1 to 256 printable characters.",
        ),
    ],
)
def test_unknown_values_are_refused(headers, members, param, message):
    """The error names where it stands and lists what is allowed."""
    with pytest.raises(InvalidRequest) as refused:
        read(headers, **members)

    assert refused.value.message == message
    assert refused.value.param == param


@pytest.mark.parametrize("member", ["fast", ["auto"], {"mode": {"a": 1}}, {"mode": [1]}])
def test_a_malformed_member_is_refused(member):
    """The type is wrong, so no list of allowed values would help."""
    with pytest.raises(InvalidRequest, match=r"^switchyard cannot be read") as refused:
        read(switchyard=member)

    assert refused.value.param == "switchyard"


def test_a_refused_value_is_shown_in_part():
    """A key that was put into the wrong header is not repeated in logs."""
    with pytest.raises(InvalidRequest) as refused:
        read({"X-Switchyard-Mode": "s" * 500})

    assert len(refused.value.message) < 300


def test_unknown_headers_of_a_family_are_named():
    """They are ignored, and still make the family spoken."""
    controls = read({"X-Prism-Turbo": "1"}, switchyard={"turbo": "1"})

    assert controls == Controls(
        families=("prism", "switchyard"),
        warnings=("x-prism-turbo: unknown", "switchyard.turbo: unknown"),
    )


def test_unknown_headers_are_named_up_to_a_limit():
    """The reply's own headers stay small."""
    assert len(read({f"X-Prism-{i}": "1" for i in range(100)}).warnings) == 16


def test_ours_wins_over_an_earlier_family():
    """Whoever speaks our language knows what they are talking to."""
    controls = read({"X-Prism-Mode": "sport", "X-Switchyard-Mode": "eco"})

    assert controls.mode == "eco"
    assert controls.warnings == ("X-Prism-Mode: overruled by X-Switchyard-Mode",)
    assert controls.families == ("prism", "switchyard")


def test_our_member_wins_over_another_family():
    """Ours is ours, wherever it stands."""
    assert read({"X-Prism-Mode": "sport"}, switchyard={"mode": "eco"}).mode == "eco"


def test_our_header_wins_over_our_member():
    """A header is closer to the wire, where a proxy of the operator may set it."""
    controls = read({"X-Switchyard-Mode": "eco"}, switchyard={"mode": "sport"})

    assert controls.mode == "eco"
    assert controls.warnings == ("switchyard.mode: overruled by X-Switchyard-Mode",)


def test_the_first_of_two_wins():
    """The same header twice is a conflict like any other."""
    controls = read([("X-Prism-Mode", "eco"), ("x-prism-mode", "sport")])

    assert controls.mode == "eco"
    assert controls.warnings == ("X-Prism-Mode: overruled by X-Prism-Mode",)


def test_agreement_is_no_conflict():
    """Two families may say the same."""
    headers = {"X-LockLLM-Route-Action": "auto", "X-Switchyard-Route-Action": "auto"}

    assert read(headers).warnings == ()


def test_a_product_wins_over_a_header_of_nobody():
    """Any tool sends ``X-Session-Id``; who asks us means us."""
    controls = read([("X-Session-Id", "a"), ("X-Switchyard-Session-Id", "b")])

    assert controls.session_id == "b"


def test_lockllm_without_a_route_action_leaves_the_default():
    """The operator's default for a named model holds, which is not to route."""
    controls = read(spoken=("lockllm",))

    assert controls == Controls(families=("lockllm",))


def test_what_lockllm_can_ask_for_is_understood():
    """Every option of the published client passes, and all have an effect."""
    options = ProxyOptions(
        scan_mode="combined",
        scan_action="block",
        policy_action="allow_with_warning",
        abuse_action="block",
        route_action="auto",
        sensitivity="high",
        cache_response=True,
        cache_ttl=60,
        chunk=True,
        pii_action="strip",
        compression="toon",
        compression_rate=0.4,
    )
    controls = read(build_lockllm_headers(options))

    assert controls.action is RouteAction.AUTO
    assert controls.families == ("lockllm",)
    assert (controls.cache, controls.cache_ttl_s) == (True, 60)
    assert controls.warnings == ()


@pytest.mark.parametrize(
    ("headers", "cache", "ttl_s"),
    [
        ({"X-LockLLM-Cache-Response": "false"}, False, None),
        ({"X-Switchyard-Cache": "True", "X-Switchyard-Cache-TTL": "0"}, True, 0),
        ({"X-Switchyard-Cache": "false", "X-LockLLM-Cache-Response": "true"}, False, None),
        ({"X-Switchyard-Cache-TTL": "86400"}, None, 86_400),
        ({}, None, None),
    ],
)
def test_what_is_said_of_the_cache(headers, cache, ttl_s):
    """In both families; ours wins."""
    controls = read(headers)

    assert (controls.cache, controls.cache_ttl_s) == (cache, ttl_s)


def test_the_body_says_the_same_of_the_cache():
    """For SDKs that reach the body only."""
    controls = read(switchyard={"cache": True, "cache_ttl": 60})

    assert (controls.cache, controls.cache_ttl_s) == (True, 60)


@pytest.mark.parametrize("ttl", ["86401", "-1", "1.5", "soon", "nan"])
def test_a_time_to_live_is_whole_seconds_of_a_day(ttl):
    """The client learns which header is wrong."""
    with pytest.raises(InvalidRequest) as raised:
        read({"X-LockLLM-Cache-TTL": ttl})

    assert raised.value.param == "X-LockLLM-Cache-TTL"


def test_our_members_leave_the_body():
    """Upstreams refuse what they do not know, and it is not for them."""
    extra = dict.fromkeys(("switchyard", "x-task-type", "session_id", "logit_bias"), b"1")

    assert own_members(extra) == ("switchyard", "x-task-type")
    assert own_members(extra, ("neuralrouting",)) == ("switchyard", "x-task-type", "session_id")
