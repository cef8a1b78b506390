"""The keys of tenants: whose they are, which are ready, and the order they are tried in."""

from __future__ import annotations

import math
from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config.secrets import Secret
from gateway.core.outcome import Failure
from gateway.execute.credentials import (
    REFUSED_S,
    REFUSED_S_MAX,
    THROTTLED_S,
    THROTTLED_S_MAX,
    Credentials,
    ProviderKey,
    ordered,
)
from tests.gateway.execute.samples import deployment

SECRET = "sk-of-acme-0123456789"
NOW_S = 5000.0


def key(id_: str = "k1", tenant: str = "acme", provider: str = "a", **more: object) -> ProviderKey:
    members = {"secret": Secret(SECRET + id_), **more}
    return ProviderKey(id_, tenant, provider, **members)


def ids(found: object) -> list[str]:
    return [one.id for one in found]


@pytest.mark.parametrize(
    "members",
    [
        {"secret": Secret("")},
        {"secret": Secret(SECRET + "\r\nx: y")},
        {"secret": Secret(SECRET + "\u20ac")},
        {"weight": -1.0},
        {"weight": math.nan},
        {"weight": math.inf},
        {"headers": {"x y": "1"}},
        {"headers": {"": "1"}},
        {"headers": {"x": SECRET + "\n"}},
        {"headers": {"Transfer-Encoding": "chunked"}},
        {"headers": {"content-length": "0"}},
        {"headers": {"Host": "inside"}},
    ],
)
def test_provider_key_that_cannot_be_sent(members: dict[str, object]) -> None:
    """Refused when it is made, in words without the secret: it would break or smuggle requests."""
    with pytest.raises(
        ValueError, match=r"A header|The header|The weight|A provider key"
    ) as raised:
        key(**members)

    assert SECRET not in str(raised.value)


def test_provider_key_shows_nothing() -> None:
    """A log line or a traceback may hold the repr of a key, or of its table."""
    one = key(headers={"api-key": SECRET})

    assert repr(one) == "ProviderKey(k1)"
    assert SECRET not in repr(Credentials([one]))
    assert SECRET not in repr(one.reach(deployment("a/1", "http://a")))


def test_provider_key_takes_nothing_of_the_operator_along() -> None:
    """Neither its key nor its headers, which may be credentials; the address where none is own."""
    place = deployment("a/1", "http://a", headers={"openai-organization": "operator"})

    usual = key().reach(place)
    own = key(base_url="https://own", headers={"x": "1"}).reach(place)

    assert (usual.api_key, usual.base_url, usual.headers) == (SECRET + "k1", "http://a", {})
    assert (own.base_url, own.headers, own.id) == ("https://own", {"x": "1"}, "a/1")
    assert (key().guarded, key(base_url="https://own").guarded) == (False, True)


def test_credentials_keep_tenants_apart() -> None:
    """A key is ready for its own tenant and provider alone."""
    table = Credentials([key("k1"), key("k2", provider="b"), key("k3", tenant="other")])

    assert table.has("acme", "a")
    assert not table.has("other", "b")
    assert ids(table.ready("acme", "a", NOW_S)) == ["k1"]
    assert ids(table.ready("other", "a", NOW_S)) == ["k3"]
    assert table.ready("nobody", "a", NOW_S) == ()
    assert table.wait_s("nobody", "a", NOW_S) == math.inf


@pytest.mark.parametrize(
    ("failure", "retry_after_s", "rest_s"),
    [
        (Failure.DENIED, None, REFUSED_S),
        (Failure.DENIED, 1.0, REFUSED_S),
        (Failure.THROTTLED, 7.0, 7.0),
        (Failure.THROTTLED, 0.0, 0.0),
        (Failure.THROTTLED, None, THROTTLED_S),
        (Failure.THROTTLED, 1e9, THROTTLED_S_MAX),
    ],
)
def test_credentials_let_a_refused_key_rest(
    failure: Failure, retry_after_s: float | None, rest_s: float
) -> None:
    """Just that key, and as long as its provider said."""
    table = Credentials([key("k1"), key("k2")])

    table.refused(key("k1"), failure, retry_after_s, NOW_S)

    assert table.has("acme", "a")
    if rest_s:
        assert ids(table.ready("acme", "a", NOW_S + rest_s - 0.01)) == ["k2"]
    assert ids(table.ready("acme", "a", NOW_S + rest_s)) == ["k1", "k2"]
    table.refused(key("k2"), Failure.DENIED, None, NOW_S)
    assert table.wait_s("acme", "a", NOW_S) == min(rest_s, REFUSED_S)


def test_credentials_rest_longer_each_time() -> None:
    """Twice as long for each refusal in a row, up to a limit; an answer forgives."""
    table = Credentials([key()])
    now_s, rests = NOW_S, []
    for _ in range(20):
        table.refused(key(), Failure.DENIED, None, now_s)
        rests.append(table.wait_s("acme", "a", now_s))
        now_s += rests[-1]

    assert rests[:4] == [REFUSED_S, 2 * REFUSED_S, 4 * REFUSED_S, 8 * REFUSED_S]
    assert rests[-1] == REFUSED_S_MAX
    table.worked(key())
    table.refused(key(), Failure.DENIED, None, now_s)
    assert table.wait_s("acme", "a", now_s) == REFUSED_S


def test_credentials_count_a_burst_once() -> None:
    """A hundred requests on their way with one bad key are one refusal."""
    table = Credentials([key()])

    for _ in range(100):
        table.refused(key(), Failure.DENIED, None, NOW_S)
    table.refused(key(), Failure.THROTTLED, 1.0, NOW_S)
    table.worked(key())  # of one that was sent before

    assert table.wait_s("acme", "a", NOW_S) == REFUSED_S


def test_credentials_keep_the_rest_over_a_reload() -> None:
    """For the key as it was; a new secret under the old id is another key."""
    table = Credentials([key("k1"), key("k2"), key("k3")])
    for one in ("k1", "k2", "k3"):
        table.refused(key(one), Failure.DENIED, None, NOW_S)

    table.use([key("k1"), key("k2", secret=Secret("sk-rotated"))])

    assert ids(table.ready("acme", "a", NOW_S)) == ["k2"]
    assert repr(table) == "<Credentials 2 keys, 1 have rested>"
    table.refused(key("k3"), Failure.DENIED, None, NOW_S)  # of a request that had begun
    table.refused(key("k2"), Failure.DENIED, None, NOW_S)
    assert ids(table.ready("acme", "a", NOW_S)) == ["k2"]
    table.use([])
    assert not table.has("acme", "a")


def test_ordered_draws_by_weight() -> None:
    """The first of the order is each key in its share, and weightless ones come last."""
    keys = [key("k1", weight=3.0), key("k2", weight=1.0), key("k3", weight=0.0)]
    random = Random(5).random

    orders = [ids(ordered(keys, random)) for _ in range(4000)]

    firsts = Counter(order[0] for order in orders)
    assert abs(firsts["k1"] / 4000 - 0.75) < 0.03
    assert firsts["k3"] == 0
    assert all(order[2] == "k3" for order in orders)


@given(st.lists(st.floats(0.0, 1e6), max_size=6), st.randoms(use_true_random=False))
def test_ordered_loses_nobody(weights: list[float], random: Random) -> None:
    """Whatever the weights, each key comes exactly once."""
    keys = [key(f"k{at}", weight=weight) for at, weight in enumerate(weights)]

    assert sorted(ids(ordered(keys, random.random))) == sorted(ids(keys))


def test_ordered_knows_the_operator() -> None:
    """Its key stands alone, and nothing is drawn."""
    assert list(ordered((None,), lambda: 1 / 0)) == [None]
