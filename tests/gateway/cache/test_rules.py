"""Who is answered from the cache, and what is never kept."""

from __future__ import annotations

import msgspec
import pytest

from gateway.cache import rules
from gateway.cache.rules import Wish, barred, wish_of, worth_keeping
from gateway.config.cache_schema import CacheSettings
from gateway.core.chat import Finish
from gateway.core.outcome import Ending
from gateway.core.request import Controls
from tests.gateway.cache.samples import BODY, asked
from tests.gateway.record.records import OUTCOME

SETTINGS = CacheSettings()
ALWAYS = CacheSettings(default="always")
LOCKLLM = ("lockllm",)
TOOL = {"type": "function", "function": {"name": "send"}}
RESULT = [
    {"role": "user", "content": "Send it."},
    {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {"id": "c", "type": "function", "function": {"name": "send", "arguments": "{}"}}
        ],
    },
    {"role": "tool", "tool_call_id": "c", "content": "sent"},
]


@pytest.mark.parametrize(
    ("controls", "settings", "wish"),
    [
        (Controls(), SETTINGS, Wish(told=False, ttl_s=0)),
        (Controls(), ALWAYS, Wish(told=True, ttl_s=3600)),
        (Controls(cache=True), SETTINGS, Wish(told=True, ttl_s=3600)),
        (Controls(cache_ttl_s=60), SETTINGS, Wish(told=True, ttl_s=60)),
        (Controls(cache=True, cache_ttl_s=60), SETTINGS, Wish(told=True, ttl_s=60)),
        (Controls(families=LOCKLLM), SETTINGS, Wish(told=True, ttl_s=3600)),
        (Controls(families=("prism",)), SETTINGS, Wish(told=False, ttl_s=0)),
        (Controls(cache=False, families=LOCKLLM), ALWAYS, Wish(told=False, ttl_s=0)),
        (Controls(cache=False, cache_ttl_s=60), ALWAYS, Wish(told=False, ttl_s=0)),
        (Controls(cache=True, cache_ttl_s=0), ALWAYS, Wish(told=False, ttl_s=0)),
        (Controls(cache_ttl_s=0, families=LOCKLLM), ALWAYS, Wish(told=False, ttl_s=0)),
        (Controls(cache=True), CacheSettings(enabled=False), Wish(told=True, ttl_s=0)),
        (Controls(), CacheSettings(enabled=False, default="always"), Wish(told=False, ttl_s=0)),
        (Controls(cache_ttl_s=7200), CacheSettings(ttl_s_max=600), Wish(told=True, ttl_s=600)),
        (Controls(cache=True), CacheSettings(ttl_s_max=600), Wish(told=True, ttl_s=600)),
    ],
)
def test_wishes(controls, settings, wish):
    """The client's word, then its protocol's, then the operator's default, within limits."""
    assert wish_of(controls, settings) == wish


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({}, ""),
        ({"temperature": 1.0}, ""),
        ({"temperature": 1.01}, rules.TEMPERATURE_ABOVE),
        ({"n": 2}, rules.CHOICES),
        ({"tools": [TOOL]}, rules.TOOLS),
        ({"tools": [{"type": "web_search"}]}, rules.TOOLS),
        ({"functions": []}, rules.TOOLS),
        ({"web_search_options": {}}, rules.TOOLS),
        ({"messages": RESULT}, rules.AGENT),
        ({"messages": [*RESULT, {"role": "user", "content": "Thanks, and what is 2 + 2?"}]}, ""),
    ],
)
def test_what_is_never_kept(members, reason):
    """Calls with effects, steps of an agent, and who wants another answer each time."""
    assert barred(asked({**BODY, **members}), SETTINGS) == reason


def test_what_an_operator_may_allow():
    """Tools; or forbid: whoever does not ask for little chance gets a fresh answer."""
    strict = CacheSettings(temperature_max=0.0)

    assert barred(asked({**BODY, "tools": [TOOL]}), CacheSettings(tools=True)) == ""
    assert barred(asked(), strict) == rules.TEMPERATURE_ABOVE
    assert barred(asked({**BODY, "temperature": 0}), strict) == ""
    embedding = asked({"model": "e", "input": "words"}, dialect="openai_embeddings")
    assert barred(embedding, strict) == ""


@pytest.mark.parametrize(
    ("changes", "kept"),
    [
        ({}, True),
        ({"ending": Ending.TRUNCATED}, False),
        ({"ending": Ending.CLIENT_GONE}, False),
        ({"ending": Ending.FAILED}, False),
        ({"status": 203}, False),
        ({"usage": None}, False),
        ({"finish": Finish.LENGTH}, False),
        ({"finish": Finish.CONTENT_FILTER}, False),
        ({"finish": Finish.TOOL_CALLS}, False),
        ({"finish": None}, False),
    ],
)
def test_only_whole_answers_are_kept(changes, kept):
    """Not what was cut, filtered or wanted to call."""
    outcome = msgspec.structs.replace(OUTCOME, **changes)

    assert worth_keeping(outcome, asked(), SETTINGS) is kept


def test_an_embedding_has_no_finish():
    """And is whole all the same."""
    outcome = msgspec.structs.replace(OUTCOME, finish=None)
    embedding = asked({"model": "e", "input": "words"}, dialect="openai_embeddings")

    assert worth_keeping(outcome, embedding, SETTINGS)


def test_calls_are_kept_where_tools_are():
    """The operator said that they have no effects."""
    outcome = msgspec.structs.replace(OUTCOME, finish=Finish.TOOL_CALLS)

    assert worth_keeping(outcome, asked(), CacheSettings(tools=True))
