"""Records found by any of their properties, on every kind of database."""

from __future__ import annotations

import csv
import io

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from gateway.core.chat import Usage
from gateway.core.errors import InvalidRequest
from gateway.core.findings import Finding, Severity
from gateway.core.ids import request_id
from gateway.core.outcome import Ending, Saved
from gateway.core.request import Principal, RouteAction
from gateway.record.activity import ActivityFilter, Line, export_rows, flat, matches, query
from gateway.record.rows import Batch, record_row
from gateway.record.store import PAGE, Store
from gateway.scan.verdict import Verdict
from gateway.scan.wishes import Wishes
from gateway.state import tables
from tests.gateway.record.records import RECORD, make_decision, make_outcome, make_record

START_S = RECORD.wall_s
WISHES = Wishes("normal", "block", "block", None, None, "medium")
SEEN = Verdict(
    wishes=WISHES,
    personal=(Finding("EMAIL_ADDRESS", "email", Severity.LOW, 0, 5),),
    attacked=True,
    attack="injection",
)
SAVED = Saved(usage=Usage(tokens_in=1, tokens_out=1), cost_nano_usd=5, age_s=1.0)
SPECIAL = {
    1: {"principal": Principal(project="shop", key_id="k2", tenant="acme")},
    2: {"decision": make_decision(task_type="Rewrite", tier="high", rule="r1", stage="encoder")},
    3: {"outcome": make_outcome(ending=Ending.FAILED, status=400, error="pii_detected")},
    4: {"decision": make_decision(action=RouteAction.OBSERVE, routed=False, provider="q")},
    5: {"outcome": make_outcome(cost_nano_usd=9_000_000, deployment="p/large"), "model": "large"},
    6: {"verdict": SEEN},
    7: {"outcome": make_outcome(saved=SAVED, deployment="p/small")},
}


@pytest.fixture(scope="module")
def postgres_url(postgres_server):
    """A database that the tests of this file share."""
    return postgres_server.create("activity")


@pytest.fixture(params=["sqlite", "postgres"])
def store(request, tmp_path):
    """Ten records: number 0, 8 and 9 are ordinary, those between are SPECIAL."""
    if request.param == "postgres":
        url = request.getfixturevalue("postgres_url")
    else:
        url = f"sqlite:///{tmp_path}/records.db"
    opened = Store(url)
    opened.prepare()
    opened.forget(1e12, 10**6)
    write(opened, *(make_record(number, **SPECIAL.get(number, {})) for number in range(10)))
    yield opened
    opened.close()


def write(store, *records):
    """Store *records*."""
    store.write(Batch(records=[record_row(record) for record in records]))


def numbers(records):
    """Which of them these are."""
    return [int(record.request_id.removeprefix("req_")) for record in records]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]),
        ({"since_s": START_S + 3, "until_s": START_S + 5}, [4, 3]),
        ({"project": "shop"}, [1]),
        ({"tenant": "acme", "key": "k2"}, [1]),
        ({"task_type": "Rewrite"}, [2]),
        ({"tier": "high", "rule": "r1", "stage": "encoder"}, [2]),
        ({"ending": "failed"}, [3]),
        ({"status": 400, "blocked": True}, [3]),
        ({"error": "pii_detected"}, [3]),
        ({"action": "observe"}, [4]),
        ({"routed": False}, [4]),
        ({"provider": "q"}, [4]),
        ({"cost_nano_usd_min": 9_000_000}, [5]),
        ({"model": "large"}, [5]),
        ({"failed_over": True}, [5]),
        ({"finding": "EMAIL_ADDRESS"}, [6]),
        ({"finding": "injection"}, [6]),
        ({"cached": True}, [7]),
        ({"request": "eq_8"}, [8]),
        ({"request": "%"}, []),
        ({"asked": "large", "tier": "low", "until_s": START_S + 1}, [0]),
    ],
)
def test_a_filter_finds_what_it_names(store, wanted, found):
    """Columns and the rest of the record filter alike, newest first; so does a record in memory."""
    asked = ActivityFilter(**wanted)
    page = query(store, asked)

    assert numbers(page.records) == found
    assert page.next is None
    kept = [record for record in store.read_records(0, 1e12) if matches(asked, record)]
    assert numbers(kept)[::-1] == found


def test_a_whole_id_is_found_as_a_part_of_it_is(store):
    """By the index of ids; another one of that length is not there."""
    made = request_id(START_S)
    write(store, make_record(20, request_id=made))
    for wanted, found in ((made, [made]), (made[4:], [made]), (request_id(START_S), [])):
        page = query(store, ActivityFilter(request=wanted))
        assert [record.request_id for record in page.records] == found


def test_pages_follow_each_other_without_gap_or_repetition(store):
    """A cursor goes on right behind the last record of its page, also among equal times."""
    write(store, *(make_record(number, wall_s=START_S + 4) for number in range(20, 26)))
    seen, cursor = [], None
    while True:
        page = query(store, ActivityFilter(), cursor, limit=3)
        seen += page.records
        if (cursor := page.next) is None:
            break

    assert len(seen) == 16
    assert numbers(seen) == numbers(sorted(seen, key=lambda r: (r.wall_s, r.request_id))[::-1])


def test_a_page_says_how_far_it_has_looked(store):
    """A bounded look back that finds little names where it stopped, and goes on from there."""
    rare = ActivityFilter(tenant="acme")
    page = query(store, rare, look_max=4)

    assert page.records == ()
    assert (page.looked, page.back_to_s) == (4, START_S + 6)
    assert page.next is not None
    assert numbers(query(store, rare, page.next).records) == [1]


def test_a_record_of_an_unknown_shape_is_counted(store):
    """It cannot be shown, and is not silently left out."""
    table = tables.records
    with store._begin() as connection:
        broken = update(table).where(table.c.request_id == "req_9").values(payload=b"{}")
        connection.execute(broken)
    page = query(store, ActivityFilter())

    assert page.unreadable == 1
    assert numbers(page.records) == [8, 7, 6, 5, 4, 3, 2, 1, 0]


@pytest.mark.parametrize("cursor", ["", "x", "~", "1.0.0~req"])
def test_a_foreign_cursor_is_refused(store, cursor):
    """What we did not write cannot be read as a place."""
    with pytest.raises(InvalidRequest, match="cursor"):
        query(store, ActivityFilter(), cursor)


def test_csv_has_a_line_for_each_record(store):
    """The export has every wanted record, with the columns that its head names."""
    text = b"".join(export_rows(store, ActivityFilter(tier="low"), "csv")).decode()
    lines = list(csv.DictReader(io.StringIO(text)))

    assert [line["request_id"] for line in lines] == [
        f"req_{k}" for k in (9, 8, 7, 6, 5, 4, 3, 1, 0)
    ]
    assert list(lines[0]) == list(Line.__struct_fields__)
    assert lines[0]["cost_usd"] == "0.0011"


def test_json_lines_hold_whole_records(store):
    """Each line is a record as it is stored."""
    lines = b"".join(export_rows(store, ActivityFilter(tenant="acme"), "jsonl")).splitlines()

    assert len(lines) == 1
    assert msgspec.json.decode(lines[0], type=type(RECORD)) == make_record(1, **SPECIAL[1])


def test_an_export_of_many_pages_is_whole(tmp_path):
    """A page at a time is read, and none is left out."""
    store = Store(f"sqlite:///{tmp_path}/records.db")
    store.prepare()
    write(store, *(make_record(number) for number in range(PAGE * 2)))
    pieces = list(export_rows(store, ActivityFilter(), "jsonl"))

    assert sum(piece.count(b"\n") for piece in pieces) == PAGE * 2
    assert len(pieces) == 3
    store.close()


@pytest.mark.parametrize("model", ["=1+1", "+x", "-x", "@x", "\tx"])
def test_no_cell_of_a_csv_is_a_formula(tmp_path, model):
    """A client that names a formula as its model runs nothing in a spreadsheet."""
    store = Store(f"sqlite:///{tmp_path}/records.db")
    store.prepare()
    question = msgspec.structs.replace(RECORD.question, model=model)
    write(store, make_record(1, question=question))
    text = b"".join(export_rows(store, ActivityFilter(), "csv")).decode()
    (line,) = csv.DictReader(io.StringIO(text))

    assert line["asked_model"] == f"'{model}"
    store.close()


def test_a_flat_record_is_in_dollars_and_tokens_of_the_usage():
    """What was billed is told, not what was expected."""
    line = flat(RECORD)

    assert (line.tokens_in, line.tokens_out) == (118, 210)
    assert (line.cost_usd, line.savings_usd, line.fee_usd) == (0.0011, 0.0039, 0.000195)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None
)
@given(text=st.text(max_size=8))
def test_any_text_may_be_looked_for(store, text):
    """No text breaks the search: what is special to a database is looked for as it is."""
    wanted = ActivityFilter(request=text.encode("utf-8", "replace").decode().replace("\0", ""))

    for record in query(store, wanted).records:
        assert wanted.request.lower() in record.request_id
