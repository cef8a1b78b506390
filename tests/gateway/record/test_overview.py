"""Sums over time."""

from __future__ import annotations

import msgspec
import pytest

from gateway.core.outcome import Ending
from gateway.record.overview import OTHERS, Quantiles, oldest_s, overview, quantiles
from gateway.record.rows import Batch, record_row
from gateway.record.store import Store
from tests.gateway.record.records import RECORD, make_decision, make_outcome, make_record

START_S = RECORD.wall_s


@pytest.fixture(scope="module")
def postgres_url(postgres_server):
    """A database that the tests of this file share."""
    return postgres_server.create("overview")


@pytest.fixture(params=["sqlite", "postgres"])
def store(request, tmp_path):
    """An empty store."""
    if request.param == "postgres":
        url = request.getfixturevalue("postgres_url")
    else:
        url = f"sqlite:///{tmp_path}/records.db"
    opened = Store(url)
    opened.prepare()
    opened.forget(1e12, 10**6)
    yield opened
    opened.close()


def write(store, *records):
    """Store *records*."""
    store.write(Batch(records=[record_row(record) for record in records]))


def test_an_empty_store_sums_to_nothing(store):
    """There is nothing, and no number is made up for it."""
    found = overview(store, 0.0, 100.0, 4)

    assert [part.start_s for part in found.parts] == [0.0, 25.0, 50.0, 75.0]
    assert (found.total.requests, found.total.added) == (0, Quantiles())
    assert not found.sampled
    assert oldest_s(store) is None


def test_parts_sum_to_the_total(store):
    """Every record is in one part; money, errors and shares are of those that are there."""
    failed = make_outcome(ending=Ending.FAILED, status=502, cost_nano_usd=0)
    high = make_decision(tier="high", task_type="Rewrite")
    write(
        store,
        make_record(0),
        make_record(1, outcome=failed, model="", savings_nano_usd=0, fee_settled_nano_usd=0),
        make_record(6, decision=high, model="large"),
        make_record(10),
    )
    found = overview(store, START_S, START_S + 10, 2)
    first, second = found.parts

    assert (first.requests, second.requests, found.total.requests) == (2, 1, 3)
    assert (first.errors, found.total.errors) == (1, 1)
    assert found.total.cost_nano_usd == 2_200_000
    assert found.total.savings_nano_usd == 7_800_000
    assert found.total.fee_nano_usd == 390_000
    assert found.total.by_tier == {"low": 2, "high": 1}
    assert found.total.by_model == {"small": 1, "no answer": 1, "large": 1}
    assert second.by_task == {"Rewrite": 1}
    assert oldest_s(store) == START_S


def test_latencies_are_of_the_records(store):
    """Percentiles are read from the records of a part, and of all of them."""
    for number in range(10):
        stages = msgspec.structs.replace(RECORD.stages, added_s=(number + 1) / 100)
        write(store, make_record(number, stages=stages))
    found = overview(store, START_S, START_S + 10, 2)

    assert found.parts[0].added == Quantiles(p50=0.03, p95=0.05)
    assert found.total.added.p95 == pytest.approx(0.1)
    assert found.total.ttft.p50 == RECORD.outcome.ttft_s


def test_a_sample_is_called_one(store):
    """With more records than are read, the fee is scaled up from the newest and marked as such."""
    write(store, *(make_record(number) for number in range(10)))
    found = overview(store, START_S, START_S + 10, 2, sample_max=4)

    assert found.sampled
    assert (found.total.read, found.total.requests) == (4, 10)
    assert found.total.fee_nano_usd == 10 * RECORD.fee_settled_nano_usd


def test_rare_models_are_lumped_together(store):
    """A client that names many models makes one line of them, not many."""
    write(store, *(make_record(number, model=f"m{number}") for number in range(20)))
    found = overview(store, START_S, START_S + 20, 1)

    assert len(found.total.by_model) == 9
    assert found.total.by_model[OTHERS] == 12


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], Quantiles()),
        ([2.0], Quantiles(2.0, 2.0)),
        ([3.0, 1.0, 2.0], Quantiles(2.0, 3.0)),
        ([float(number) for number in range(100, -1, -1)], Quantiles(50.0, 95.0)),
    ],
)
def test_quantiles_are_values_that_were_seen(values, expected):
    """Nearest rank, in any order."""
    assert quantiles(values) == expected
