"""The admin API over HTTP."""

from __future__ import annotations

import csv
import io
import json
import typing

import pytest
from aiohttp import ClientError

from gateway.admin.admin_keys import AdminKeyDraft
from gateway.admin.api import match
from gateway.admin.api_activity import ExportAsked
from gateway.admin.api_call import BODY_BYTES_MAX
from gateway.admin.api_route import ROOT
from gateway.admin.api_routes import ROUTES
from gateway.admin.desk import Desk
from gateway.admin.openapi import PARTS
from gateway.admin.reports import AUDITED
from gateway.admin.roles import RANKS
from gateway.core.errors import Unavailable
from gateway.core.outcome import Ending
from gateway.core.request import RouteAction
from gateway.state.facts import KINDS
from models.scores import TASK_TYPES, TIERS
from tests.gateway.admin.offices import ADMIN
from tests.gateway.admin.served import served
from tests.gateway.admin.traffic import COUNT, record_traffic


@pytest.fixture
async def api(desk):
    """A client of the API with an admin key."""
    made = await desk.admin_keys.create(ADMIN, AdminKeyDraft(role="admin"), "boss")
    async with served(desk.office, made.secret) as client:
        yield client


async def test_a_tenant_over_http(api):
    """Made, read with its ETag, replaced under it, listed, deleted."""
    made = await api.post("tenants", json={"id": "acme", "value": {"name": "Acme"}})
    assert made.status == 201
    assert (await api.post("tenants", json={"id": "acme", "value": {}})).status == 409
    read = await api.get("tenants/acme")
    etag = read.headers["ETag"]
    assert (await read.json()) == (await made.json())
    put = await api.put("tenants/acme", json={"disabled": True}, headers={"If-Match": etag})
    assert (await put.json())["value"]["disabled"] is True
    late = await api.put("tenants/acme", json={}, headers={"If-Match": etag})
    assert late.status == 409
    listed = await (await api.get("tenants")).json()
    assert [one["id"] for one in listed["items"]] == ["acme", "default"]
    gone = await api.delete("tenants/acme", headers={"If-Match": put.headers["ETag"]})
    assert (gone.status, await gone.read()) == (204, b"")
    assert (await api.get("tenants/acme")).status == 404


async def test_a_key_over_http(api):
    """Its secret is in the answer that makes it, and its overlap is obeyed."""
    made = await (await api.post("keys", json={"value": {"name": "laptop"}})).json()
    renewed = await api.post(f"keys/{made['id']}/rotate", json={"overlap_s": 60})
    revoked = await api.post(f"keys/{made['id']}/revoke")

    assert made["secret"].startswith("sy_")
    assert (await renewed.json())["value"]["older_until_s"] is not None
    assert (await revoked.json())["value"]["revoked_s"] is not None
    assert (await api.delete(f"keys/{made['id']}")).status == 204


async def test_rules_over_http(api):
    """Drafted, tried and published."""
    rules = [{"id": "easy", "when": {"tiers": ["low"]}, "then": {"mode": "eco"}}]
    saved = await api.put("rules/*/draft", json={"rules": rules})
    assert (await saved.json())["value"]["problems"] == []
    tried = await (await api.post("rules/%2A/test", json={})).json()
    assert tried["summary"].startswith("would have changed 0 of 0")
    assert (await api.post("rules/*/publish", json={})).status == 200
    versions = await (await api.get("rules/*/versions")).json()
    back = await api.post(f"rules/*/versions/{versions[0]['version']}/rollback", json={})
    assert back.status == 200


async def test_a_top_up_once(api):
    """It takes an idempotency key, and the same one adds nothing."""
    await api.post("tenants", json={"id": "acme", "value": {}})
    assert (await api.post("tenants/acme/top-ups", json={"nano_usd": 5})).status == 400
    for _ in range(2):
        done = await api.post(
            "tenants/acme/top-ups", json={"nano_usd": 5}, headers={"Idempotency-Key": "t-1"}
        )
        assert (await done.json())["available_nano_usd"] == 5
    assert (await (await api.get("tenants/acme/balance")).json())["available_nano_usd"] == 5


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "where"),
    [
        ("POST", "tenants", '{"id": "acme", "value": {"nmae": "x"}}', 400, "$.value.nmae"),
        ("POST", "tenants", '{"id": "a b", "value": {}}', 400, "$.id"),
        ("POST", "tenants", "{", 400, "$"),
        ("POST", "tenants", "", 400, "$"),
        ("POST", "tenants", '{"id": "\\ud800", "value": {}}', 400, "$"),
        ("POST", "tenants", '{"id": "a", "value": {"limits": {"concurrent": -1}}}', 400,
         "$.value.limits.concurrent"),
        ("POST", "keys", '{"value": {"mode": "turbo"}}', 422, "$.mode"),
        ("POST", "tenants", '{"id": "x", "value": {"limits": {"concurrent": 9007199254740992}}}',
         422, "$.limits.concurrent"),
        ("POST", "tenants", "[" * 100_000, 400, "$"),
        ("GET", f"activity?cost_nano_usd_min={2**64}", None, 400, "$.cost_nano_usd_min"),
        ("GET", "tenants?limit=0", None, 400, "$.limit"),
        ("GET", "tenants?limit=1&limit=2", None, 400, "limit"),
        ("GET", "tenants?nonsense=1", None, 400, "$"),
        ("GET", "settings?nonsense=1", None, 400, ""),
        ("GET", "tenants/nobody", None, 404, ""),
        ("GET", "tenants/a%2Fb", None, 404, ""),
        ("GET", "nothing", None, 404, ""),
        ("PATCH", "tenants", "{}", 405, ""),
        ("POST", "keys/k/revoke", "{}", 400, ""),
        ("POST", "playground", '{"prompt": "x"}', 503, ""),
    ],
)  # fmt: skip
async def test_what_is_refused(api, method, path, body, status, where):
    """The status says whose fault it is, the path where it is."""
    headers = {"Content-Type": "application/json"} if body is not None else {}
    answer = await api.request(method, path, data=body, headers=headers)
    error = (await answer.json())["error"]

    assert (answer.status, error["path"]) == (status, where)
    assert error["code"]
    assert error["message"]
    if status == 405:
        assert answer.headers["Allow"] == "GET, HEAD, POST"
    if status == 503:
        assert int(answer.headers["Retry-After"]) > 0


@pytest.mark.parametrize(
    ("method", "path", "body", "says"),
    [
        ("POST", "keys", {"value": {"action": "zzz"}},
         "expected one of disabled, auto, custom, observe, got 'zzz'"),
        ("POST", "keys", {"tenant": "acme"}, '"value" is missing: \'tenant\' stands in'),
        ("POST", "webhooks", {"value": {"url": "https://a.example", "events": ["zzz"]}},
         "expected one of balance.low, limit.near"),
        ("PUT", "rules/*/draft",
         {"rules": [{"id": "a", "then": {}, "when": {"tiers": ["huge"]}},
                    {"idd": "b", "then": {}}]},
         "$.rules[0].when.tiers[0]: expected one of high, low, medium, got 'huge'; "
         "$.rules[1].idd: no setting is called 'idd' here; did you mean 'id'?; "
         "$.rules[1].id: required, but missing"),
        ("POST", "tenants", "", "The body is empty"),
        ("GET", "usage?by=zzz", None, "expected one of day, key, model, project, provider, tenant"),
        ("GET", "audit?kind=zzz", None, "expected one of admin_key, content_policy"),
        ("GET", "activity?tier=huge", None, "expected one of high, low, medium"),
        ("GET", "activity.csv?ending=zzz", None, "expected one of client_gone, complete"),
        ("POST", "webhooks", {"value": {"url": "https://localhost/x"}}, "server.endpoint_hosts"),
        ("POST", "provider-keys",
         {"value": {"provider": "openai", "secret": "sk-1", "base_url": "https://10.0.0.1/v1"}},
         "server.endpoint_hosts"),
        ("POST", "tenants",
         {"id": "x", "value": {"limits": {"spend": [{"usd": 1, "window": "rolling 9999999999"}]}}},
         "a rolling window has 1 to 31622400 seconds"),
    ],
)  # fmt: skip
async def test_what_is_wrong_is_told_with_what_would_be_right(api, method, path, body, says):
    """An enumeration with its values, every mistake of a body, and the setting that helps."""
    text = body if isinstance(body, str) else None if body is None else json.dumps(body)
    headers = {"Content-Type": "application/json"} if text is not None else {}
    answer = await api.request(method, path, data=text, headers=headers)

    assert answer.status in (400, 422)
    assert says in (await answer.json())["error"]["message"]


async def test_records_are_exported(api, desk):
    """As CSV with a head, and as JSON lines; the filter is that of the list."""
    record_traffic(desk.office)
    as_csv = await api.get("activity.csv?tier=low")
    lines = list(csv.DictReader(io.StringIO(await as_csv.text())))
    as_json = await api.get("activity.jsonl?key=k1")
    records = [json.loads(line) for line in (await as_json.text()).splitlines()]
    head = await api.head("activity.csv")

    assert (as_csv.status, as_csv.content_type) == (200, "text/csv")
    assert (len(lines), {one["tier"] for one in lines}) == (COUNT // 2, {"low"})
    assert as_json.content_type == "application/jsonl"
    assert {one["principal"]["key_id"] for one in records} == {"k1"}
    assert (head.status, await head.read()) == (200, b"")
    assert (await api.get("activity.csv?limit=5")).status == 400


async def test_an_export_that_breaks_off_is_no_whole_file(api, desk, monkeypatch):
    """A client that has half of it does not take it for all."""

    def pieces(*given):
        yield b"half"
        raise Unavailable("The database does not answer.")

    monkeypatch.setattr("gateway.admin.reports.export_rows", pieces)
    answer = await api.get("activity.csv")
    with pytest.raises(ClientError):
        await answer.read()


def test_the_words_of_a_filter_are_those_of_records():
    """What the description lists is what there is."""
    fields = ExportAsked.__annotations__ | typing.get_type_hints(ExportAsked)
    words = {name: typing.get_args(fields[name])[1:] for name in ExportAsked.__annotations__}

    assert words == {
        "task_type": TASK_TYPES,
        "tier": TIERS,
        "ending": tuple(one.value for one in Ending),
        "action": tuple(one.value for one in RouteAction),
    }
    assert set(AUDITED) == {*KINDS, "session"}


async def test_bodies_that_are_too_much(api):
    """Too large ones are refused, announced or not, and so is what is no JSON by its headers."""
    large = b" " * BODY_BYTES_MAX + b"{}"

    async def pieces():
        yield large

    headers = {"Content-Type": "application/json"}
    assert (await api.post("tenants", data=io.BytesIO(large), headers=headers)).status == 413
    assert (await api.post("tenants", data=pieces(), headers=headers)).status == 413
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert (await api.post("tenants", data=b"{}", headers=form)).status == 415


async def test_whole_numbers_are_whole(api):
    """To JSON 5.0 is 5; 5.5 requests a minute are none."""
    body = {"id": "acme", "value": {"limits": {"requests_per_minute": 5.0}}}
    made = await (await api.post("tenants", json=body)).json()
    assert made["value"]["limits"]["requests_per_minute"] == 5
    body = {"id": "b", "value": {"limits": {"requests_per_minute": 5.5}}}
    assert (await api.post("tenants", json=body)).status == 400


async def test_strangers(desk):
    """Without a key, with a wrong one, and with too many of these."""
    async with served(desk.office, None) as client:
        missing = await client.get("tenants")
        assert missing.status == 401
        assert missing.headers["WWW-Authenticate"] == "Bearer"
        wrong = {"Authorization": "Bearer sya_wrong"}
        await desk.office.refresh()
        statuses = [(await client.get("tenants", headers=wrong)).status for _ in range(12)]
        described = await (await client.get("/admin/api/openapi.json")).json()
    assert statuses == [401] * 10 + [429] * 2
    assert described["openapi"] == "3.1.0"


async def test_every_route_asks_for_the_role_of_its_verb(desk):
    """The table and the desk agree: no route asks for less, and none for more."""
    secrets = {}
    for role in RANKS:
        made = await desk.admin_keys.create(ADMIN, AdminKeyDraft(role=role), role)
        secrets[role] = made.secret
    roles = {name: method.role for name, method in verbs_of(desk)}
    for route in ROUTES:
        assert route.role in roles.values()
    async with served(desk.office, None) as client:
        for route in ROUTES:
            path = filled(ROOT + route.path)
            for role, rank in RANKS.items():
                headers = {"Authorization": f"Bearer {secrets[role]}"}
                answer = await client.request(route.method, path, headers=headers)
                refused = answer.status == 403
                assert refused == (rank < RANKS[route.role]), (route.method, path, role)


def verbs_of(desk: Desk):
    """Every public verb of the desk."""
    for part in vars(desk).values():
        for name in dir(type(part)):
            method = getattr(type(part), name)
            if hasattr(method, "role"):
                yield name, method


def filled(path: str) -> str:
    """*path* with something in place of its variable parts."""
    for name in PARTS:
        path = path.replace(f"{{{name}}}", "1")
    return path


def test_every_route_is_found():
    """Each method and path of the table leads to its own route."""
    for route in ROUTES:
        found, names = match(route.method, filled(ROOT + route.path).split("/"))
        assert found is route
        assert set(names.values()) <= {"1"}


async def test_the_database_is_gone(api, desk, monkeypatch):
    """It is said so, and when to come back; what is in memory is still listed."""

    def gone(*_, **__):
        raise Unavailable("The record store does not answer.")

    monkeypatch.setattr(desk.office.fact_store, "find", gone)
    answer = await api.get("tenants/acme")
    assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
    assert (await api.get("admin-keys")).status == 200


async def test_a_fault_of_ours(api, desk, monkeypatch, caplog):
    """The log has where it was, and neither has what it said."""

    def broken(*_, **__):
        secret = "-".join(("sk", "secret"))
        raise RuntimeError(secret)

    monkeypatch.setattr(desk.office.fact_store, "find", broken)
    answer = await api.get("tenants/acme")
    assert answer.status == 500
    assert "RuntimeError" in caplog.text
    assert "sk-secret" not in caplog.text + await answer.text()
