"""The fleet as arrays: names, health and versions."""

from __future__ import annotations

import numpy as np
import pytest

from gateway.core.fleet import Capability, Fleet, Model, ModelClass, Price
from gateway.core.health import Health
from gateway.decide.fleet_view import fleet_rows, fleet_view, price_row
from gateway.decide.lack import Lack
from gateway.decide.priors import LATENCY_S
from kernels import cost, limits
from tests.gateway.decide.samples import deployment, fleet_of, usual_fleet

TWO_PLACES = fleet_of(
    deployment("gpt-4", "openai"),
    deployment("gpt-4", "azure", id="azure-eu", upstream_model="my-gpt4", region="eu"),
    deployment("meta/llama", "groq"),
    **{"gpt-4": Model("gpt-4", ModelClass.PREMIUM, aliases=("gpt-4-0613", "GPT4"), family="gpt")},
)


@pytest.mark.parametrize(
    ("name", "provider", "model", "rows"),
    [
        ("gpt-4", None, "gpt-4", [0, 1]),
        ("GPT-4", None, "gpt-4", [0, 1]),
        ("gpt-4-0613", None, "gpt-4", [0, 1]),
        ("gpt4", None, "gpt-4", [0, 1]),
        ("azure/gpt-4", None, "gpt-4", [1]),
        ("Azure/GPT4", None, "gpt-4", [1]),
        ("azure-eu", None, "gpt-4", [1]),  # the id of a deployment
        ("gpt-4", "azure", "gpt-4", [1]),
        ("my-gpt4", "azure", "gpt-4", [1]),  # the provider's own name for it
        ("openai/gpt-4", "openai", "gpt-4", [0]),  # says twice where
        ("meta/llama", None, "meta/llama", [2]),  # a slash of its own
        ("groq/meta/llama", None, "meta/llama", [2]),
    ],
)
def test_find(name, provider, model, rows):
    """A model is found by every name that clients use for it."""
    found = fleet_rows(TWO_PLACES).find(name, provider)

    assert (found.model, found.rows.tolist()) == (model, rows)


@pytest.mark.parametrize(
    ("name", "provider"),
    [("gpt-5", None), ("my-gpt4", None), ("gpt-4", "groq"), ("", None), ("groq/gpt-4", None)],
)
def test_find_nothing(name, provider):
    """A name that nobody serves, or not at that provider, stands for nothing."""
    assert fleet_rows(TWO_PLACES).find(name, provider) is None


def test_a_model_comes_before_an_alias():
    """Where two claim a name, the model itself has it."""
    fleet = fleet_of(
        deployment("a"), deployment("b"), a=Model("a", ModelClass.BALANCED, aliases=("b",))
    )

    assert fleet_rows(fleet).find("b").model == "b"


def test_close_names():
    """A misspelt name is answered with names that look like it."""
    assert "gpt-4" in fleet_rows(TWO_PLACES).close_names("gtp-4")
    assert fleet_rows(TWO_PLACES).close_names("zzzzzz") == ()


def test_rows_of_names():
    """Several names stand for all their rows, each once; unknown ones for none."""
    rows = fleet_rows(TWO_PLACES)

    assert rows.rows_of(["azure/gpt-4", "gpt-4", "nobody"]).tolist() == [0, 1]
    assert rows.rows_of([]).tolist() == []


def test_columns_are_those_of_the_kernels():
    """Prices and limits are laid out as the kernels read them."""
    priced = Price(
        input=1,
        output=2,
        cache_read=3,
        cache_write=9,
        long_context_tokens=4,
        long_input=5,
        long_output=6,
        long_cache_read=7,
        request_nano_usd=8,
    )
    row = price_row(priced)
    table = fleet_rows(fleet_of(deployment("a", context_tokens=8, output_tokens_max=9))).limits

    assert [row[cost.INPUT], row[cost.OUTPUT], row[cost.CACHE_READ]] == [1, 2, 3]
    assert [row[cost.LONG_TOKENS], row[cost.LONG_INPUT], row[cost.LONG_OUTPUT]] == [4, 5, 6]
    assert (row[cost.LONG_CACHE_READ], row[cost.REQUEST]) == (7, 8)
    assert table[0, limits.CONTEXT_TOKENS] == 8
    assert table[0, limits.TOKENS_OUT_MAX] == 9


def test_dialects_that_are_not_translated():
    """Chat reaches every chat dialect; embeddings only deployments of their own family."""
    rows = fleet_rows(fleet_of(deployment("a", "openai"), deployment("b", "anthropic")))
    blocked = int(Lack.DIALECT)

    assert rows.dialect_lacks["anthropic_messages"].tolist() == [0, 0]
    assert rows.dialect_lacks["openai_chat"].tolist() == [0, 0]
    assert rows.dialect_lacks["openai_embeddings"].tolist() == [0, blocked]
    assert rows.dialect_lacks["openai_completions"].tolist() == [0, blocked]


def test_a_deployment_of_an_untranslated_dialect_serves_no_chat():
    """Its endpoint cannot be translated to."""
    fleet = fleet_of(deployment("a", dialect="openai_embeddings", capabilities=Capability.CHAT))

    assert fleet_rows(fleet).dialect_lacks["anthropic_messages"].tolist() == [int(Lack.DIALECT)]


def test_health_of_one_moment():
    """Measured values are taken, missing ones assumed, and a breaker makes a row unavailable."""
    view = fleet_view(
        TWO_PLACES,
        {
            "openai/gpt-4": Health(ttft_s_p50=0.1, tpot_s=0.002, requests=90, error_share=0.2),
            "azure-eu": Health(available=False, state="open"),
        },
    )
    assumed_ttft_s, assumed_tpot_s = LATENCY_S[ModelClass.BALANCED]

    assert view.available.tolist() == [True, False, True]
    assert view.lacks.tolist() == [0, int(Lack.UNAVAILABLE), 0]
    assert view.ttft_s.tolist() == [0.1, assumed_ttft_s, assumed_ttft_s]
    assert view.tpot_s.tolist() == [0.002, assumed_tpot_s, assumed_tpot_s]
    assert view.reliability.tolist() == pytest.approx([1 - 0.2 * 90 / 100, 1.0, 1.0])


@pytest.mark.parametrize(
    ("requests", "errors", "reliability"),
    [(0, 1.0, 1.0), (2, 0.5, 1 - 1 / 12), (10, 1.0, 0.5), (990, 1.0, 0.01)],
)
def test_few_requests_are_trusted_less(requests, errors, reliability):
    """One failure of two is bad luck, a thousand of a thousand are a fault."""
    health = {"openai/a": Health(requests=requests, error_share=errors)}
    view = fleet_view(fleet_of(deployment("a")), health)

    assert view.reliability[0] == pytest.approx(reliability)


def test_errors_repel_traffic_and_retries_more():
    """The share among equals falls faster than the successes, steeply for a client's retry."""
    fleet = fleet_of(deployment("a", weight=2.0))
    view = fleet_view(fleet, {"openai/a": Health(requests=10**6, error_share=0.1)})

    assert view.share[0] == pytest.approx(2 * 0.9**4, rel=1e-3)
    assert view.share_retry[0] < 0.01


def test_version_names_fleet_and_health():
    """Equal health has an equal version; any change of health or fleet has another."""
    fleet = usual_fleet()
    view = fleet_view(fleet, {})
    slow = {"openai/gpt-4": Health(ttft_s_p50=3.0)}
    other = Fleet(fleet.deployments, fleet.models, version="other")

    assert view.with_health({}).version == view.version
    assert view.with_health(slow).version != view.version
    assert view.with_health(slow).with_health({}).version == view.version
    assert fleet_view(other, {}).version != view.version


def test_a_new_view_shares_what_does_not_change():
    """Only health is laid out again, once a second."""
    view = fleet_view(usual_fleet(), {})

    assert view.with_health({}).rows is view.rows


def test_views_are_immutable():
    """No decision can change what the next one sees."""
    view = fleet_view(usual_fleet(), {})

    for array in (view.reliability, view.lacks, view.rows.prices, view.rows.find("gpt-4").rows):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


def test_an_empty_fleet_has_a_view():
    """Nothing to serve is no error here: deciding turns it into a refusal."""
    view = fleet_view(Fleet((), {}, "none"), {})

    assert view.rows.prices.shape == (0, cost.PRICE_COLUMNS)
    assert view.rows.find("gpt-4") is None
    assert view.available.dtype == np.bool_
