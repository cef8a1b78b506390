"""The key: what makes two requests one, and what keeps them apart."""

from __future__ import annotations

import copy
import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.cache.key import INSIGNIFICANT, KEY_BYTES, canonical, key_of
from gateway.core.request import Controls, Principal, RouteAction
from tests.gateway.cache.samples import BODY, asked

names = st.text(max_size=4)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**53), 2**53),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=6),
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(names, inner, max_size=3)),
    max_leaves=10,
)
bodies = st.dictionaries(names.filter(lambda name: name not in INSIGNIFICANT), values, max_size=5)
MESSAGES = {
    "model": "claude-sonnet-4-20250514",
    "max_tokens": 100,
    "messages": [{"role": "user", "content": "Say hello in French."}],
}


def key(request):
    """The key of *request* under one policy."""
    return key_of(request, policy="p1", shown_model="served")


def shuffled(value, dice):
    """*value* with the members of all its objects in another order."""
    if isinstance(value, dict):
        members = list(value.items())
        dice.shuffle(members)
        return {name: shuffled(member, dice) for name, member in members}
    return [shuffled(one, dice) for one in value] if isinstance(value, list) else value


def paths(value, at=()):
    """Where every scalar of *value* stands."""
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        return [path for name, one in items for path in paths(one, (*at, name))]
    return [at]


@given(bodies, st.integers(0, 9), st.booleans())
def test_how_a_body_is_written_does_not_matter(body, seed, ascii_only):
    """Order of members, white space and escapes: one key."""
    other = json.dumps(shuffled(body, random.Random(seed)), indent=1, ensure_ascii=ascii_only)

    assert canonical(other.encode()) == canonical(json.dumps(body).encode())


@given(bodies.filter(paths), st.data())
def test_any_other_value_is_another_body(body, data):
    """One scalar that differs, at any depth, is enough."""
    *way, last = data.draw(st.sampled_from(paths(body)))
    changed = copy.deepcopy(body)
    place = changed
    for step in way:
        place = place[step]
    place[last] = data.draw(scalars.filter(lambda new: json.dumps(new) != json.dumps(place[last])))

    assert canonical(json.dumps(changed).encode()) != canonical(json.dumps(body).encode())


@given(st.lists(scalars, min_size=2, max_size=4, unique_by=json.dumps))
def test_the_order_of_a_list_matters(values):
    """Turns are in a list."""
    bodies = [json.dumps({"a": one}).encode() for one in (values, values[::-1])]

    assert canonical(bodies[0]) != canonical(bodies[1])


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":1,"a":2}',
        b'{"a":{"b":"c","b":"d"}}',
        b'{"a":{"b":"c","\\u0062":"d"}}',
        b'{"a" :{"b":":" ,"b":"d"}, "c" : 1}',
    ],
)
def test_two_members_of_one_name_are_ambiguous(body):
    """The upstream may read the one that we do not: such an answer is nobody else's."""
    assert canonical(body) is None


@pytest.mark.parametrize("body", [b"", b"[]", b'{"a":1e999}', b'{"a":"\\ud800"}', b'{"a":\xff}'])
def test_what_cannot_be_read_has_no_key(body):
    """Also halves of characters, which no answer could be kept for."""
    assert canonical(body) is None


@pytest.mark.parametrize("name", sorted(INSIGNIFICANT.keys() - {"stream", "stream_options"}))
def test_insignificant_members(name):
    """Whoever is named as the user gets the same answer."""
    member = {"a": "b"} if name == "metadata" else name == "store" or "x"

    assert key(asked({**BODY, name: member})) == key(asked())


def test_a_key_is_as_long_as_a_hash():
    """And the same tomorrow."""
    assert len(key(asked())) == KEY_BYTES
    assert key(asked()) == key(asked(id="req_2", arrived_s=2000.0))


@pytest.mark.parametrize(
    "other",
    [
        asked(principal=Principal(tenant="other")),
        asked(provider="openai"),
        asked({**BODY, "stream": True}),
        asked({**BODY, "model": "gpt-4"}),
        asked({**BODY, "temperature": 0.5}),
        asked({**BODY, "seed": 1}),
        asked({**BODY, "max_tokens": 10}),
        asked({**BODY, "tools": []}),
        asked(headers=(("OpenAI-Beta", "x"),)),
        *(
            asked(controls=Controls(cache=True, **one))
            for one in (
                {"action": RouteAction.AUTO},
                {"mode": "eco"},
                {"prefer_model": "gpt-4"},
                {"compression": "toon"},
            )
        ),
    ],
    ids=lambda request: request.body.decode()[-30:],
)
def test_what_changes_the_answer_changes_the_key(other):
    """Tenant, place, words, settings, and who is to answer."""
    assert key(other) != key(asked())


def test_the_policy_and_the_shown_model_are_in_the_key():
    """After a change of the rules nothing old is given."""
    keys = {
        key_of(asked(), policy=policy, shown_model=shown)
        for policy in ("p1", "p2")
        for shown in ("asked", "served")
    }

    assert len(keys) == 4


def test_dialects_keep_apart():
    """An answer is in the words of the client that asked."""
    anthropic = asked(MESSAGES, dialect="anthropic_messages")
    openai = asked(MESSAGES)

    assert key(anthropic) != key(openai)


def test_a_stream_with_usage_is_another_stream():
    """Whoever wants no usage must not get the event that holds it, nor the other way round."""
    plain = {**BODY, "stream": True}
    keys = [
        key(asked({**plain, "stream_options": {"include_usage": wanted}}))
        for wanted in (True, False)
    ]

    assert keys[0] != keys[1]
    assert key(asked(plain)) == keys[1]


def test_traces_do_not_matter():
    """They differ with every request."""
    traced = asked(headers=(("traceparent", "00-1-2-01"), ("tracestate", "a=b")))

    assert key(traced) == key(asked())
