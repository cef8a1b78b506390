"""What the dashboard is made of: sessions, forms, plots, rules as forms, numbers for people."""

from __future__ import annotations

import contextlib
import datetime
import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.admin.forms import FIELDS_MAX, Form, activity_filter, parse, query_of
from gateway.admin.pages import FILES, ROUTES, found
from gateway.admin.pages_audit import changes
from gateway.admin.pages_login import is_secure, local
from gateway.admin.pages_rule_form import (
    conditions_text,
    rule_of,
    rules_of,
    rules_text,
    told_conditions,
    told_target,
)
from gateway.admin.pages_tenants import limits_of
from gateway.admin.plots import Series, lines, scale, stacked
from gateway.admin.render import CONTENT_SECURITY, milliseconds, number, percent, span, usd, when
from gateway.admin.sessions import CLOSED_MAX, IDLE_S, LIFE_S, Sessions
from gateway.config.schema import Condition, Range, Rule, Target
from gateway.core.errors import InvalidRequest, NotFound
from gateway.learn.shipped import templates

KEY = bytes(32)
NOW_S = 1_800_000_000.0


def test_a_session_is_read_by_every_replica():
    """Who holds the same key reads the cookie; who does not, or finds it changed, reads nothing."""
    sessions = Sessions(KEY)
    session = sessions.open("olga", "digest", NOW_S)
    cookie = sessions.write(session)

    assert Sessions(KEY).read(cookie, NOW_S) == session
    assert Sessions(bytes(31) + b"x").read(cookie, NOW_S) is None


@given(st.text(max_size=60))
def test_nothing_that_we_did_not_sign_is_a_session(text):
    """Any cookie may come; none but ours opens anything."""
    assert Sessions(KEY).read(text, NOW_S) is None


@given(position=st.integers(0, 400), letter=st.sampled_from("Aa0_-."))
def test_no_letter_of_a_cookie_can_be_changed(position, letter):
    """A cookie is read as it was written or not at all."""
    sessions = Sessions(KEY)
    session = sessions.open("olga", "digest", NOW_S)
    cookie = sessions.write(session)
    at = position % len(cookie)
    changed = cookie[:at] + letter + cookie[at + 1 :]
    read = sessions.read(changed, NOW_S)

    assert read is None or read == session


def test_a_session_ends_when_idle_and_in_any_case():
    """Eight hours without a click, or a week."""
    sessions = Sessions(KEY)
    session = sessions.open("olga", "digest", NOW_S)
    used = msgspec.structs.replace(session, used_s=NOW_S + LIFE_S)

    assert sessions.read(sessions.write(session), NOW_S + IDLE_S) == session
    assert sessions.read(sessions.write(session), NOW_S + IDLE_S + 1) is None
    assert sessions.read(sessions.write(used), NOW_S + LIFE_S + 1) is None


def test_a_closed_session_opens_nothing_and_the_memory_is_bounded():
    """A cookie that was copied before the logout is worth nothing after it."""
    sessions = Sessions(KEY)
    session = sessions.open("olga", "digest", NOW_S)
    for _ in range(CLOSED_MAX + 5):
        sessions.close(sessions.open("x", "digest", NOW_S))
    sessions.close(session)

    assert sessions.read(sessions.write(session), NOW_S) is None
    assert len(sessions._closed) == CLOSED_MAX


def test_a_form_token_is_of_one_session():
    """The token of another session, or none, is not taken."""
    sessions = Sessions(KEY)
    one, other = sessions.open("olga", "digest", NOW_S), sessions.open("olga", "digest", NOW_S)

    assert sessions.is_form_token(one, sessions.form_token(one))
    assert not sessions.is_form_token(one, sessions.form_token(other))
    assert not sessions.is_form_token(one, "é")


@pytest.mark.parametrize(
    ("target", "kept"),
    [
        ("/admin/rules?x=1", True),
        ("/admin", True),
        ("https://example.org", False),
        ("//example.org/admin/", False),
        ("/administrator", False),
        ("/admin/\r\nSet-Cookie: a=b", False),
        ("/admin/\\example.org", False),
        ("", False),
    ],
)
def test_a_login_leads_only_to_pages_of_ours(target, kept):
    """The address after the login cannot lead elsewhere."""
    assert local(target) == (target if kept else "/admin")


@pytest.mark.parametrize(
    ("encrypted", "forwarded", "secure"),
    [
        (False, None, False),
        (True, None, True),
        (False, "https", True),
        (False, "http,https", False),
    ],
)
def test_a_cookie_is_secure_where_the_browser_came_by_https(encrypted, forwarded, secure):
    """Also by way of a proxy that says so."""
    headers = {} if forwarded is None else {"X-Forwarded-Proto": forwarded}

    assert is_secure(encrypted, headers) is secure


def test_paths_have_pages():
    """A page, a page with a tail, and nothing else."""
    assert found("/admin/rules")[2] == ""
    assert found("/admin/rules/shop") == ("/admin/rules", ROUTES["/admin/rules"], "shop")
    for path in ("/admin/nothing", "/admin/rules/a/b", "/admin/audit/1", "/admin/static"):
        with pytest.raises(NotFound):
            found(path)


def test_the_policy_of_content_allows_nothing_inline_or_foreign():
    """No script or style but files of ours."""
    assert "unsafe" not in CONTENT_SECURITY
    assert "http" not in CONTENT_SECURITY
    assert "default-src 'none'" in CONTENT_SECURITY


def test_static_files_name_no_foreign_host():
    """Nothing is fetched from elsewhere."""
    for name, file in FILES.items():
        text = file.body.decode().replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?://|//[a-z]+\.[a-z]|@import", text), name


def test_a_form_reads_its_fields():
    """Words, lines, numbers, boxes and times; what is not one is told with its name."""
    form = parse("a=+x+&b=1%2C2+3&c=one%0D%0A%0D%0Atwo&d=4.5&e=yes&f=2026-01-02T03%3A04&g=7&z=%00")

    assert form.text("a") == "x"
    assert form.words("b") == ("1", "2", "3")
    assert form.lines("c") == ("one", "two")
    assert (form.number("d"), form.flag("e"), form.count("g")) == (4.5, True, 7)
    wanted = datetime.datetime(2026, 1, 2, 3, 4, tzinfo=datetime.UTC).timestamp()
    assert form.time_s("f") == wanted
    assert form.text("z", "nothing") == "nothing"
    for read in (form.number, form.time_s, form.count):
        with pytest.raises(InvalidRequest, match="A is not"):
            read("a")
    with pytest.raises(InvalidRequest, match="Missing one is missing"):
        form.need("missing_one")


@pytest.mark.parametrize("text", ["nan", "inf", "1e400", "-1e300"])
def test_numbers_out_of_range_are_refused(text):
    """No arithmetic behind a form has to fear them."""
    with pytest.raises(InvalidRequest):
        Form([("a", text)]).number("a")


def test_a_form_has_a_limit():
    """Too many fields are refused before they are read."""
    with pytest.raises(InvalidRequest, match=str(FIELDS_MAX)):
        parse("a=1&" * (FIELDS_MAX + 1))


@given(st.dictionaries(st.text(min_size=1, max_size=5), st.text(max_size=5), max_size=5))
def test_a_query_comes_back(fields):
    """What a link repeats of a query is what the query said."""
    form = Form(list(fields.items()))
    again = parse(query_of(form))

    assert {name: again.text(name) for name in fields if form.text(name)} == {
        name: form.text(name) for name in fields if form.text(name)
    }


def test_a_filter_is_read_of_a_query():
    """A period counts back from now, unless a time is given."""
    wanted = activity_filter(parse("period=1h&model=m&routed=yes&status=402&cost_min=0.5"), NOW_S)

    assert wanted.since_s == NOW_S - 3600
    assert (wanted.model, wanted.routed, wanted.blocked) == ("m", True, None)
    assert (wanted.status, wanted.cost_nano_usd_min) == (402, 500_000_000)
    since = activity_filter(parse("period=1h&since=2026-01-01T00:00"), NOW_S).since_s
    assert when(since) == "2026-01-01 00:00:00"


def test_limits_are_read_of_a_form():
    """Spend limits have numbered fields; what is empty does not bind."""
    limits = limits_of(parse("spend_usd_0=5&window_0=day&spend_usd_1=&concurrent=3"))

    assert [(one.usd, one.window) for one in limits.spend] == [(5.0, "day")]
    assert (limits.concurrent, limits.requests_per_minute) == (3, None)


def test_a_rule_comes_back_from_its_form():
    """What the form shows of a rule makes the same rule again."""
    for template in templates():
        for rule in template.rules:
            fields = [("task_types", one) for one in rule.when.task_types]
            fields += [("tiers", one) for one in rule.when.tiers]
            fields += [
                ("id", rule.id),
                ("model", rule.then.model or ""),
                ("provider", rule.then.provider or ""),
                ("mode", rule.then.mode or ""),
                ("best_within_usd", str(rule.then.best_within_usd or "")),
                ("keep", "yes" if rule.then.keep else ""),
                ("own_key", "yes" if rule.then.own_key else ""),
                ("reason", rule.reason),
                ("priority", str(rule.priority)),
                ("conditions", conditions_text(rule.when)),
            ]
            assert rule_of(Form(fields)) == rule


def test_rules_come_back_from_their_text():
    """The YAML of a draft is the draft."""
    rules = tuple(rule for template in templates() for rule in template.rules)

    assert rules_of(rules_text(rules)) == rules
    assert rules_of(" ") == ()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"id": "r", "conditions": "tokens: 5"}, "tokens"),
        ({"id": "r", "conditions": "tiers: [low]"}, "tiers"),
        ({"id": "r", "conditions": "{{"}, "Conditions"),
        ({"id": "r", "conditions": "has_tools: maybe"}, "has_tools"),
        ({"id": "r", "tiers": "huge"}, "tiers"),
        ({"id": ""}, "Id is missing"),
    ],
)
def test_a_wrong_rule_is_told(fields, message):
    """The message names what is wrong."""
    with pytest.raises(InvalidRequest, match=message):
        rule_of(Form(list(fields.items())))


@given(st.text(max_size=40))
def test_no_text_breaks_the_editor(text):
    """Rules, or a message for a person; no other error."""
    with contextlib.suppress(InvalidRequest):
        assert isinstance(rules_of(text), tuple)


def test_a_rule_is_told_in_words():
    """Conditions and target as one line each."""
    rule = Rule(
        id="r",
        when=Condition(task_types=("Rewrite", "Chatbot"), tokens_in=Range(gt=5.0), has_tools=True),
        then=Target(model="m", provider="p", own_key=True),
    )

    told = told_conditions(rule.when)
    assert told == "task types: Rewrite or Chatbot; tokens in: above 5.0; has tools: yes"
    assert told_target(rule.then) == "m at p, with an own key only"
    assert told_conditions(Condition()) == "always"


@given(
    values=st.lists(st.none() | st.floats(0, 1e12), min_size=1, max_size=50),
    more=st.lists(st.floats(0, 1e3), max_size=50),
)
def test_marks_stay_inside_the_drawing(values, more):
    """Whatever the numbers, nothing is drawn outside, and every number is in the table."""
    labels = [str(k) for k in range(len(values))]
    other = tuple((*more, *[0.0] * len(values))[: len(values)])
    series = (Series("a", tuple(values)), Series("b", other))
    bars = stacked("title", labels, series, number)
    drawn = lines("title", labels, series, number)

    for bar in bars.bars:
        assert -0.2 <= bar.y <= bar.y + bar.height <= bars.bottom + 0.2
        assert bars.left <= bar.x <= bar.x + bar.width <= bars.right
    for line in drawn.lines:
        for point in line.points.split():
            x, y = map(float, point.split(","))
            assert drawn.left <= x <= drawn.right
            assert -0.2 <= y <= drawn.bottom + 0.2
    assert [len(row) for row in bars.rows] == [3] * len(values)


def test_counts_have_no_lines_between_them():
    """Two requests are told by the lines 0, 1 and 2."""
    top, ticks = scale(2.0, number, least_step=1.0)

    assert (top, [tick.label for tick in ticks]) == (2.0, ["0", "1", "2"])


@given(st.floats(1e-9, 1e15))
def test_a_scale_holds_its_number(most):
    """The top is not below the number, and not twice above the lines it needs."""
    top, ticks = scale(most, str)

    assert most <= top * (1 + 1e-9)
    assert 2 <= len(ticks) <= 6
    assert top <= most * 3


@pytest.mark.parametrize(
    ("shown", "text"),
    [
        (usd(1_204_500_000_000), "$1,204.50"),
        (usd(12_300_000), "$0.0123"),
        (usd(100_000_000), "$0.10"),
        (usd(12_000), "$0.000012"),
        (usd(-1_234_567), "-$0.0012"),
        (usd(0), "$0"),
        (usd(None), "–"),
        (usd(1), "$0.000000001"),
        (milliseconds(0.0004), "0.40 ms"),
        (milliseconds(1.5), "1,500 ms"),
        (percent(0.034), "3.4 %"),
        (percent(None), "–"),
        (span(200_000), "2 days"),
        (span(30), "30 s"),
        (when(0.0), "–"),
        (when(1e300), "9999-12-31 23:59:59"),
    ],
)
def test_numbers_for_people(shown, text):
    """With as many digits as tell something."""
    assert shown == text


def test_changes_of_a_fact_are_told():
    """Only what differs, cut where it is long."""
    found = changes({"a": 1, "b": 2}, {"a": 1, "b": 3, "c": "x" * 100})

    assert found[0] == ("b", "2", "3")
    assert found[1][0] == "c"
    assert len(found[1][2]) < 70
    assert changes(None, None) == []
