"""The dashboard over HTTP: who gets in, what a page holds, and what its forms do."""

from __future__ import annotations

import asyncio
import re

import msgspec
import pytest

from gateway.admin import pages_activity
from gateway.admin.desk import Desk
from gateway.admin.forms import BODY_BYTES_MAX
from gateway.admin.keys import KeyDraft
from gateway.admin.pages import ROUTES
from gateway.admin.provider_keys import ProviderKeyDraft
from gateway.admin.rules import Publish
from gateway.admin.sessions import COOKIE, IDLE_S
from gateway.admin.tenants import TopUp
from gateway.admin.webhooks import WebhookDraft
from gateway.charging import Charging
from gateway.config.schema import Project, Rule, Target
from gateway.config.secrets import Secret
from gateway.core.content_policy import ContentPolicy
from gateway.core.errors import Unavailable
from gateway.core.request import RouteAction
from gateway.ledger.journal import Journal
from gateway.ledger.meters import Meters
from gateway.record.recent import Recent
from gateway.record.record import Feedback
from gateway.record.rows import Batch, feedback_row, record_row
from gateway.state.facts import (
    Limits,
    PolicyFact,
    RuleSet,
    SpendLimit,
    Tenant,
    TenantProject,
)
from tests.fakes.clock import ManualClock
from tests.gateway.admin.browsers import STATED, filled, opened
from tests.gateway.admin.offices import ADMIN, close, office_of, with_gateway
from tests.gateway.record.records import RECORD, make_record

# Pages with something behind their path alone.
PARTLY = ("/admin/tenants", "/admin/projects", "/admin/provider-keys")
PAGES = [path for path in ROUTES if "." not in path and path not in PARTLY]
HOSTILE = "<img src=x onerror=alert(1)>\"'&"


@pytest.fixture
def clock():
    """The clock of the office."""
    return ManualClock()


@pytest.fixture
async def office(tmp_path, clock):
    """An office with a gateway that answers by simulation, and its records."""
    made = office_of(tmp_path, clock, stated=Secret(STATED))
    made.records.prepare()
    await made.replica.refresh()
    made = with_gateway(msgspec.structs.replace(made, recent=Recent()))
    journal = Journal(tmp_path, 2**20)
    made.running().charging = Charging(Meters(clock), journal, clock, lambda *_: False)
    yield made
    journal.close()
    close(made)


@pytest.fixture
async def browser(office):
    """Nobody is logged in."""
    async with opened(office) as browser:
        yield browser


@pytest.fixture
async def admin(browser):
    """An admin is logged in."""
    await browser.login()
    return browser


def store(office, *records):
    """Keep *records*, as the recorder would."""
    office.records.write(Batch(records=[record_row(record) for record in records]))
    office.recent.observe(records)


@pytest.mark.parametrize("path", [*PAGES, "/admin/activity.csv", "/admin/keys/web"])
async def test_nothing_is_shown_without_a_session(browser, path):
    """Whoever is not logged in is sent to the login, and comes back to the page afterwards."""
    async with browser.http.get(path, allow_redirects=False) as response:
        assert response.status == 303
        assert response.headers["Location"].startswith("/admin/login")
    async with browser.http.post(path, data={"do": "x"}, allow_redirects=False) as response:
        assert response.status == 401


async def test_the_tail_is_closed_too(browser):
    """A tail has no login page: it ends."""
    await browser.get("/admin/tail", 401)


@pytest.mark.parametrize("path", PAGES)
async def test_every_page_is_shown_and_safe(admin, path):
    """On an empty gateway, with one landmark each, one heading, and headers that forbid scripts."""
    async with admin.http.get(path) as response:
        text = await response.text()
    assert response.status == 200
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert "script-src 'self'" in response.headers["Content-Security-Policy"]
    assert not re.search(r"<[^>]+ (style|on\w+)=", text)
    assert not re.search(r"<script(?! src)", text)
    assert (text.count("<h1>"), text.count("<main "), text.count('aria-current="page"')) == (
        1,
        1,
        1,
    )
    assert text.count("<table") == text.count("<caption")
    assert_labelled(text)


def assert_labelled(text: str) -> None:
    """Every field that is shown has a label, and no id is there twice."""
    ids = re.findall(r' id="([^"]+)"', text)
    assert len(ids) == len(set(ids)), [one for one in ids if ids.count(one) > 1]
    fields = re.findall(r"<(?:input|select|textarea)\b[^>]*>", text)
    for field in fields:
        if 'type="hidden"' not in field:
            found = re.search(r'\bid="([^"]+)"', field)
            assert found, field
            assert f'for="{found[1]}"' in text, field


async def test_a_login_makes_a_cookie_that_scripts_and_other_sites_cannot_use(browser):
    """HttpOnly, SameSite=Strict, for the dashboard alone, and secure where the browser is."""
    for forwarded, secure in ((None, False), ("https", True)):
        headers = {} if forwarded is None else {"X-Forwarded-Proto": forwarded}
        async with browser.http.post(
            "/admin/login", data={"key": STATED}, headers=headers, allow_redirects=False
        ) as response:
            cookie = response.headers["Set-Cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Strict" in cookie
        assert "Path=/admin" in cookie
        assert ("Secure" in cookie) is secure
        assert STATED not in cookie


async def test_a_wrong_key_opens_nothing_and_is_limited(browser):
    """The answer does not repeat the key; after some tries one has to wait."""
    text = await browser.login("wrong-key-of-mine", 401)

    assert "wrong-key-of-mine" not in text
    for _ in range(9):
        await browser.login("wrong", 401)
    await browser.login("wrong", 429)
    await browser.get("/admin", 303)


async def test_a_session_ends_with_its_key(browser):
    """A key that is revoked opens no page any more, also to those who are logged in."""
    id_ = await browser.login_as("operator")
    await browser.get("/admin/keys")
    await browser.desk.admin_keys.revoke(ADMIN, id_)

    await browser.get("/admin/keys", 303)


async def test_a_session_ends_with_the_secret_that_opened_it(browser, clock):
    """Who rotates a key because its secret leaked ends what was opened with that secret."""
    id_ = await browser.login_as("operator")
    await browser.desk.admin_keys.rotate(ADMIN, id_, overlap_s=60.0)
    await browser.get("/admin/keys")
    clock.advance(61)

    await browser.get("/admin/keys", 303)


async def test_a_session_ends_when_idle_and_lives_while_used(admin, clock):
    """Each click counts from then on."""
    for _ in range(3):
        clock.advance(IDLE_S - 60)
        await admin.get("/admin/audit")
    clock.advance(IDLE_S + 60)

    await admin.get("/admin/audit", 303)


async def test_another_replica_knows_the_session(admin, office):
    """A browser may come to any replica with its cookie."""
    async with opened(office) as other:
        cookies = {one.key: one.value for one in admin.http.cookie_jar}
        other.http.cookie_jar.update_cookies(cookies)
        await other.get("/admin/audit")


async def test_logging_out_ends_the_session(admin):
    """The cookie goes, and whoever kept a copy of it has nothing."""
    (kept,) = [one.value for one in admin.http.cookie_jar if one.key == COOKIE]
    await admin.post("/admin/logout")
    admin.http.cookie_jar.update_cookies({COOKIE: kept})

    await admin.get("/admin/audit", 303)


@pytest.mark.parametrize("token", ["", "x", "é"])
async def test_a_form_without_the_token_changes_nothing(admin, token):
    """A form that the session did not make is refused."""
    text = await admin.post("/admin/keys", 403, token=token, do="create_key", id="web")

    assert "load the page again" in text
    assert (await admin.desk.keys.list(ADMIN)).items == []


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_a_form_of_another_site_changes_nothing(admin, site):
    """Not even a login: browsers say where a form comes from."""
    for path in ("/admin/keys", "/admin/login"):
        headers = {"Sec-Fetch-Site": site}
        async with admin.http.post(path, data={"key": STATED}, headers=headers) as response:
            assert response.status == 403


async def test_a_large_form_and_one_of_another_kind_are_refused(admin):
    """A form has a limit in bytes, and is a form."""
    await admin.post("/admin/playground", 413, prompt="x" * BODY_BYTES_MAX)
    async with admin.http.post("/admin/keys", json={}) as response:
        assert response.status == 415


async def test_roles_hold_on_every_page(browser):
    """A viewer sees, and is told what it may not do."""
    await browser.login_as("viewer")
    text = await browser.post("/admin/keys", 403, do="create_key", id="web")

    assert "This takes the role operator" in text
    await browser.post("/admin/playground", 403, do="send", prompt="hello")
    await browser.post("/admin/rules", 403, do="add_rule", id="r", model="gpt-4")
    await browser.post("/admin/settings", 403, do="create_admin_key", role="admin")
    assert (await browser.desk.keys.list(ADMIN)).items == []


@pytest.fixture
async def furnished(office):
    """Something of everything that pages have buttons for."""
    desk = Desk(office)
    await desk.tenants.create(ADMIN, "acme", Tenant())
    await desk.projects.create(ADMIN, "shop", TenantProject(tenant="acme"))
    await desk.keys.create(ADMIN, KeyDraft(tenant="acme", project="shop"), "web")
    secret = ProviderKeyDraft(provider="openai", secret="sk-proj-0123456789abcdefghij")
    await desk.provider_keys.create(ADMIN, secret, "ours")
    await desk.webhooks.create(ADMIN, WebhookDraft(url="https://hooks.example.com/x"), "hook")
    policy = PolicyFact(policy=ContentPolicy(name="weapons", phrases=("bomb",)))
    await desk.content_policies.create(ADMIN, "p1", policy)
    rules = RuleSet(rules=(Rule(id="r", then=Target(mode="eco")),))
    for _ in range(2):
        await desk.rules.save_draft(ADMIN, "*", rules)
        await desk.rules.publish(ADMIN, "*", Publish())
    await desk.rules.save_draft(ADMIN, "*", rules)


BEHIND = (
    *("/admin/keys/web", "/admin/tenants/acme", "/admin/tenants/default", "/admin/projects/shop"),
    *("/admin/provider-keys/ours", "/admin/policies/p1"),
)
NEEDS = {
    "operator": {
        *("create_key", "revoke_key", "update_key", "rotate_key", "create_tenant"),
        *("update_tenant", "delete_tenant", "create_project", "update_project", "delete_project"),
        *("create_webhook", "test_webhook", "delete_webhook", "create", "update", "delete"),
        *("add_rule", "save_rule", "up", "down", "remove", "save_text", "template", "test"),
        *("publish", "discard", "rollback", "decide", "send"),
    },
    "admin": {
        *("top_up", "create_provider_key", "update_provider_key", "delete_provider_key"),
        *("create_admin_key", "rotate_admin_key", "revoke_admin_key"),
    },
}


@pytest.mark.parametrize("role", ["viewer", "operator", "admin"])
async def test_nobody_is_shown_a_button_that_is_refused(furnished, browser, role):
    """Each role has the buttons of what it may do, and all of these; a viewer reads the fields."""
    await browser.login_as(role)
    shown = set()
    for path in (*PAGES, *BEHIND):
        text = await browser.get(path)
        assert_labelled(text)
        shown |= set(re.findall(r'name="do" value="(\w+)"', text))
    ranks = {"viewer": (), "operator": ("operator",), "admin": ("operator", "admin")}

    assert shown == set().union(*(NEEDS[one] for one in ranks[role]))
    text = await browser.get("/admin/tenants/acme")
    assert ("<fieldset disabled>" in text, "takes the role operator" in text) == (
        (role == "viewer"),
    ) * 2


async def test_the_tenant_that_is_always_there_has_a_page(admin):
    """It is listed, limited by its form, and can be forgotten but not deleted."""
    assert 'href="/admin/tenants/default"' in await admin.get("/admin/keys")
    page = await admin.get("/admin/tenants/default")
    assert "delete_tenant" not in page
    assert "Credits left" not in page
    fields = filled(page, "update_tenant") | {"requests_per_minute": "7"}
    await admin.post("/admin/tenants/default", **fields)
    tenant = (await admin.desk.tenants.get(ADMIN, "default")).value
    assert tenant.limits.requests_per_minute == 7
    assert "Forget its settings" in await admin.get("/admin/tenants/default")
    await admin.post("/admin/tenants/default", do="delete_tenant")

    assert (await admin.desk.tenants.get(ADMIN, "default")).value == Tenant()


@pytest.mark.parametrize("verb", ["create_key", "create_tenant", "create_project"])
async def test_new_ones_have_the_limits_that_saved_ones_have(admin, verb):
    """Rolling windows, what happens at the limit, and every rate."""
    form = filled(await admin.get("/admin/keys"), verb)
    said = {"id": "new", "spend_usd_1": "3", "window_1": "rolling 5h", "at_limit": "cheaper"}
    said |= {"tokens_per_minute": "9", "concurrent": "2"}
    assert said.keys() <= form.keys()
    await admin.post("/admin/keys", 200 if verb == "create_key" else 303, **form | said)
    drawer = getattr(admin.desk, verb.removeprefix("create_") + "s")
    limits = (await drawer.get(ADMIN, "new")).value.limits

    assert limits == Limits(
        spend=(SpendLimit(usd=3.0, window="rolling 5h"),),
        at_limit="cheaper",
        tokens_per_minute=9,
        concurrent=2,
    )


async def test_a_tenant_without_credits_owes_none(admin, office):
    """Its balance is what it has spent, and nothing that is left."""
    await admin.desk.tenants.create(ADMIN, "acme", Tenant())
    await admin.desk.tenants.top_up(ADMIN, "acme", TopUp(nano_usd=1_250_000_000), "t")

    for path in ("/admin/keys", "/admin/tenants/acme"):
        assert "Credits left</dt>" not in await admin.get(path)
    assert "$1.25 of credits wait" in await admin.get("/admin/tenants/acme")


async def test_a_key_is_made_shown_once_and_revoked(admin):
    """The secret is on one page and never again; the audit log has who did it."""
    text = await admin.post("/admin/keys", 200, do="create_key", id="web", spend_usd_0="5")
    secret = re.search(r"sy_[\w-]{43}", text)
    assert secret is not None
    for path in ("/admin/keys", "/admin/keys/web", "/admin/audit", "/admin/settings"):
        shown = await admin.get(path)
        assert secret[0] not in shown
    await admin.post("/admin/keys", do="revoke_key", id="web")

    assert "revoked" in await admin.get("/admin/keys/web")
    assert (await admin.desk.keys.get(ADMIN, "web")).value.revoked_s is not None
    assert "revoke" in await admin.get("/admin/audit?kind=key")


async def test_a_form_that_is_saved_as_it_was_shown_changes_nothing(admin):
    """Also where more was said through the API than most need."""
    limits = Limits(
        spend=(
            SpendLimit(usd=1.0, window="day"),
            SpendLimit(usd=9.5, window="rolling 3600"),
            SpendLimit(usd=20.0, window="lifetime"),
        ),
        requests_per_minute=60,
        tokens_per_minute=0,
        concurrent=3,
        at_limit="cheaper",
    )
    tenant = Tenant(name="Acme", own_keys="only", low_balance_usd=0.0, limits=limits)
    await admin.desk.tenants.create(ADMIN, "acme", tenant)
    project = TenantProject(tenant="acme", settings=Project(mode="eco"), limits=limits)
    await admin.desk.projects.create(ADMIN, "shop", project)
    key = KeyDraft(
        tenant="acme",
        project="shop",
        name="laptop",
        expires_s=1_800_000_000.0,
        allowed_models=("gpt-4o", "auto"),
        allowed_routes=("/v1/chat",),
        action=RouteAction.AUTO,
        mode="eco",
        priority="low",
        limits=limits,
    )
    await admin.desk.keys.create(ADMIN, key, "web")
    for drawer, id_ in (("tenants", "acme"), ("projects", "shop"), ("keys", "web")):
        found = getattr(admin.desk, drawer)
        before = (await found.get(ADMIN, id_)).value
        fields = filled(await admin.get(f"/admin/{drawer}/{id_}"), f"update_{drawer[:-1]}")
        await admin.post(f"/admin/{drawer}/{id_}", **fields)
        assert (await found.get(ADMIN, id_)).value == before


async def test_a_form_that_fails_comes_back_with_what_was_typed(admin):
    """The page says what is wrong, and keeps the rest."""
    text = await admin.post(
        "/admin/keys", 422, do="create_key", id="web", name="My web shop", tenant="nobody"
    )

    assert "That did not work" in text
    assert "My web shop" in text


async def test_a_top_up_counts_once(admin):
    """A second click on the same form adds nothing."""
    await admin.desk.tenants.create(ADMIN, "acme", Tenant(credits=True))
    for _ in range(2):
        await admin.post("/admin/keys", do="top_up", tenant="acme", usd="2.5", once="abc")

    assert "$2.50" in await admin.get("/admin/keys")


async def test_a_tenant_and_its_project_are_made_changed_and_deleted(admin):
    """With limits, credits and settings; what has something left stays."""
    await admin.post("/admin/keys", do="create_tenant", id="acme", spend_usd_0="5")
    await admin.post("/admin/keys", do="create_project", id="shop", tenant="acme")
    text = await admin.post("/admin/tenants/acme", 409, do="delete_tenant")
    assert "has 1 projects left" in text
    fields = {"name": "Acme", "disabled": "yes", "low_balance_usd": "0"}
    await admin.post("/admin/tenants/acme", do="update_tenant", **fields)
    tenant = (await admin.desk.tenants.get(ADMIN, "acme")).value
    assert (tenant.name, tenant.disabled, tenant.low_balance_usd) == ("Acme", True, 0.0)
    assert tenant.limits.spend == ()
    fields = {"tenant": "acme", "settings": "mode: eco", "concurrent": "3"}
    await admin.post("/admin/projects/shop", do="update_project", **fields)
    project = (await admin.desk.projects.get(ADMIN, "shop")).value
    assert (project.settings.mode, project.limits.concurrent) == ("eco", 3)
    assert "mode: eco" in await admin.get("/admin/projects/shop")
    await admin.post("/admin/projects/shop", 400, do="update_project", settings="mood: eco")
    await admin.post("/admin/projects/shop", do="delete_project")
    await admin.post("/admin/tenants/acme", do="delete_tenant")

    await admin.get("/admin/tenants/acme", 404)
    await admin.get("/admin/tenants", 303)
    assert "does not know" in await admin.post("/admin/tenants", 400, do="create_tenant")


async def test_a_provider_key_is_made_changed_and_forgotten(admin):
    """Its secret is replaced, and stands on no page; a new endpoint takes it again."""
    secret, renewed = "sk-proj-0123456789abcdefghijWXYZ", "sk-proj-0123456789abcdefghijABCD"
    made = {"do": "create_provider_key", "provider": "openai", "tenant": "default"}
    text = await admin.post("/admin/keys", 422, **made, secret=secret, base_url="http://a.example")
    assert 'value="http://a.example"' in text
    assert secret not in text
    await admin.post("/admin/keys", 400, **made, secret=secret, weight="-1")
    await admin.post("/admin/keys", **made, secret=secret, weight="2")
    (entry,) = (await admin.desk.provider_keys.list(ADMIN)).items
    page = f"/admin/provider-keys/{entry.id}"
    assert f'href="{page}"' in await admin.get("/admin/keys")
    assert_labelled(await admin.get(page))

    changed = made | {"do": "update_provider_key"}
    await admin.post(page, **changed, weight="3", name="ours", disabled="yes")
    value = (await admin.desk.provider_keys.get(ADMIN, entry.id)).value
    assert (value.weight, value.name, value.disabled, value.hint) == (3.0, "ours", True, "WXYZ")
    moved = changed | {"base_url": "https://llm.example.com/v1"}
    text = await admin.post(page, 422, **moved)
    assert "needs the secret again" in text
    assert "llm.example.com" in text
    await admin.post(page, **moved, secret=renewed)
    value = (await admin.desk.provider_keys.get(ADMIN, entry.id)).value
    assert (value.base_url, value.hint, value.disabled) == (moved["base_url"], "ABCD", False)
    for path in (page, "/admin/keys", "/admin/audit"):
        shown = await admin.get(path)
        assert secret not in shown
        assert renewed not in shown
    await admin.post("/admin/keys", do="delete_provider_key", id=entry.id)
    await admin.get(page, 404)


async def test_a_stale_form_of_a_provider_key_changes_nothing(admin):
    """Two who edit at once do not overwrite each other."""
    draft = ProviderKeyDraft(provider="openai", secret="sk-proj-0123456789abcdefghij")
    made = await admin.desk.provider_keys.create(ADMIN, draft, "ours")
    form = {"do": "update_provider_key", "provider": "openai", "version": str(made.version)}
    await admin.post("/admin/provider-keys/ours", **form, weight="2")
    await admin.post("/admin/provider-keys/ours", 409, **form, weight="3")

    assert (await admin.desk.provider_keys.get(ADMIN, "ours")).value.weight == 2.0


async def test_a_viewer_sees_no_form_of_a_provider_key(browser):
    """Only an admin may change one."""
    draft = ProviderKeyDraft(provider="openai", secret="sk-proj-0123456789abcdefghij")
    await browser.desk.provider_keys.create(ADMIN, draft, "ours")
    await browser.login_as("viewer")
    text = await browser.get("/admin/provider-keys/ours")

    assert "New secret" not in text
    form = {"do": "update_provider_key", "provider": "openai", "weight": "2"}
    await browser.post("/admin/provider-keys/ours", 403, **form)


async def test_a_webhook_is_told_that_it_is_told(office):
    """A button sends it a test event; a page that no gateway is behind says so."""
    told = []
    async with opened(msgspec.structs.replace(office, tell=lambda *what: told.append(what))) as one:
        await one.login()
        fields = {"url": "https://hooks.example.com/x", "events": "balance.low"}
        await one.post("/admin/settings", 200, do="create_webhook", **fields)
        (hook,) = (await one.desk.webhooks.list(ADMIN)).items
        assert f"Send a test event to {hook.id}" in await one.get("/admin/settings")
        await one.post("/admin/settings", do="test_webhook", id=hook.id)
        assert "A test event is on its way." in await one.get("/admin/settings?done=tested")
    async with opened(office) as other:
        await other.login()
        await other.post("/admin/settings", 503, do="test_webhook", id=hook.id)

    assert [what[:2] for what in told] == [("test", hook.id)]


async def test_a_rule_is_drafted_tested_published_and_taken_back(admin, office):
    """Each step is a form; two who edit at once do not overwrite each other."""
    store(office, make_record(1, wall_s=office.clock.wall() - 5))
    await admin.post(
        "/admin/rules", do="add_rule", draft="0", id="r1", task_types="Rewrite", model="gpt-4o"
    )
    await admin.post("/admin/rules", 409, do="add_rule", draft="0", id="r2", model="gpt-4o")
    draft = await admin.desk.rules.draft(ADMIN, "*")
    assert [rule.id for rule in draft.value.rules] == ["r1"]
    assert "would have changed" in await admin.post("/admin/rules", 200, do="test")
    await admin.post("/admin/rules", do="publish", version=str(draft.version), note="first")
    live = await admin.desk.rules.live(ADMIN, "*")
    assert live.value.rules[0].when.task_types == ("Rewrite",)
    await admin.post("/admin/rules", do="save_text", draft="0", text="[]")
    await admin.post("/admin/rules", do="publish", note="none")
    await admin.post("/admin/rules", do="rollback", version=str(live.version))

    assert "r1" in await admin.get("/admin/rules")
    assert (await admin.desk.rules.live(ADMIN, "*")).value.rules == live.value.rules


async def test_a_draft_is_put_in_order(admin):
    """Rules move up and down, are replaced and removed."""
    text = "[{id: a, then: {keep: true}}, {id: b, then: {keep: true}}]"
    await admin.post("/admin/rules", do="save_text", draft="0", text=text)
    await admin.post("/admin/rules", do="up", index="1")
    await admin.post("/admin/rules", do="save_rule", index="0", id="b", mode="eco")
    await admin.post("/admin/rules", do="remove", index="1")
    (rule,) = (await admin.desk.rules.draft(ADMIN, "*")).value.rules

    assert (rule.id, rule.then.mode, rule.then.keep) == ("b", "eco", False)
    await admin.post("/admin/rules", 400, do="remove", index="7")


async def test_a_template_goes_into_the_draft(admin):
    """Once: what is there already is not there twice."""
    (first, *_) = await admin.desk.rules.templates(ADMIN)
    for _ in range(2):
        await admin.post("/admin/rules", do="template", template=first.name)
    draft = await admin.desk.rules.draft(ADMIN, "*")

    assert [rule.id for rule in draft.value.rules] == [rule.id for rule in first.rules]


async def test_a_policy_is_made_changed_and_deleted(admin):
    """The form keeps what it does not change."""
    fields = {"name": "weapons", "phrases": "build a bomb\nmake a gun", "action": "block"}
    await admin.post("/admin/policies", do="create", id="p1", **fields)
    fact = (await admin.desk.content_policies.get(ADMIN, "p1")).value
    assert fact.policy.phrases == ("build a bomb", "make a gun")
    await admin.post("/admin/policies/p1", do="update", name="weapons", phrases="build a bomb")
    assert "weapons" in await admin.get("/admin/policies/p1")
    await admin.post("/admin/policies", do="delete", id="p1")

    await admin.get("/admin/policies/p1", 404)


async def test_the_playground_decides_and_sends(admin, office):
    """The decision with its candidates; the answer of the pipeline, which is recorded."""
    decided = await admin.post(
        "/admin/playground", 200, do="decide", prompt="Say hello.", model="gpt-4o", action="auto"
    )
    assert "Candidates" in decided
    assert "Answer" not in re.sub(r"<option.*?</option>|Tokens of the answer", "", decided)
    sent = await admin.post(
        "/admin/playground", 200, do="send", prompt="Say hello.", model="gpt-4o"
    )
    found = re.search(r"/admin/activity/(req_\w+)", sent)
    assert found is not None
    record = office.gateway.recorder.find(found[1])

    assert record.principal.key_id == "operator:configuration"
    assert "gpt-4o" in await admin.get(f"/admin/activity/{found[1]}")


async def test_one_decision_is_opened_in_full(admin, office):
    """Signals, scores, candidates, attempts and costs; an unknown id is not found."""
    store(office, make_record(1))
    text = await admin.get("/admin/activity/req_1")

    for word in ("Candidates", "Signals", "Scores", "Attempts", "agent continuation", "p/large"):
        assert word in text
    await admin.get("/admin/activity/req_404", 404)


async def test_what_clients_write_is_text_and_nothing_else(admin, office):
    """A client that names markup as its model runs nothing in an operator's browser."""
    question = msgspec.structs.replace(RECORD.question, model=HOSTILE)
    decision = msgspec.structs.replace(RECORD.decision, reason=HOSTILE, rule=HOSTILE)
    store(office, make_record(1, question=question, decision=decision, model=HOSTILE, text=HOSTILE))

    for path in ("/admin/activity", "/admin/activity/req_1", "/admin?period=30d"):
        text = await admin.get(path)
        assert "<img src=x" not in text
    for query in (f"asked={HOSTILE}", f"key={HOSTILE}&rule={HOSTILE}&request={HOSTILE}"):
        assert "<img src=x" not in await admin.get(f"/admin/activity?{query}")
        assert "<img src=x" not in await admin.get(f"/admin/audit?id={HOSTILE}")


async def test_the_overview_has_plots_and_their_numbers(admin, office):
    """Each plot has a sentence for those who do not see it, and a table."""
    now_s = office.clock.wall()
    store(office, *(make_record(number, wall_s=now_s - 10 * number - 1) for number in range(20)))
    text = await admin.get("/admin")

    assert text.count('<svg class="plot"') == text.count('role="img" aria-label=') == 6
    assert "Requests by tier: low (100 %) 20." in text
    assert "78 % of what it would have cost" in text


async def test_the_quality_matrix_has_intervals(admin, office):
    """What clients thought of answers, with how sure that is and whether it is trusted."""
    now_s = office.clock.wall()
    record = make_record(1, wall_s=now_s, model="gpt-4o")
    store(office, record)
    said = [Feedback("req_1", 1.0, now_s, f"k{number}") for number in range(30)]
    office.records.write(Batch(feedback=[feedback_row(one) for one in said]))
    text = await admin.get("/admin/quality")

    assert '<svg class="bar"' in text
    assert ">trusted<" in text
    assert re.search(r">0\.\d\d – [01]\.\d\d<", text)
    assert ">trusted<" not in await admin.get("/admin/quality?tier=high")


async def test_an_empty_gateway_says_how_to_begin(admin):
    """The base URL and a line for the shell."""
    text = await admin.get("/admin")

    assert "curl http://127.0.0.1:" in text
    assert "/v1/chat/completions" in text


async def test_the_activity_is_filtered_and_exported(admin, office):
    """The list and the files hold the same records."""
    store(office, make_record(1), make_record(2, model="large"))
    listed = (await admin.get("/admin/activity?model=large")).partition("Stored requests")[2]
    assert ("req_2" in listed, "req_1" in listed) == (True, False)
    csv = await admin.get("/admin/activity.csv?model=large")
    assert (csv.count("req_"), csv.count("\n")) == (1, 2)
    assert (await admin.get("/admin/activity.jsonl")).count("\n") == 2
    await admin.get("/admin/activity?cursor=nonsense", 400)


async def test_the_tail_shows_requests_as_they_come(admin, office, monkeypatch):
    """Only what the filter lets through, as rows of the table."""
    monkeypatch.setattr(pages_activity, "TAIL_POLL_S", 0.01)
    async with admin.http.get("/admin/tail?model=large") as response:
        assert response.content_type == "text/event-stream"
        await response.content.readline()
        store(office, make_record(1), make_record(2, model="large"))
        event = await asyncio.wait_for(response.content.readuntil(b"\n\n"), 5)
        while b"event" not in event:
            event = await asyncio.wait_for(response.content.readuntil(b"\n\n"), 5)

    assert b"event: row" in event
    assert b"req_2" in event
    assert b"req_1" not in event


async def test_a_tail_ends_with_its_session(browser, monkeypatch):
    """Whoever may no longer log in does not go on watching."""
    monkeypatch.setattr(pages_activity, "TAIL_POLL_S", 0.01)
    id_ = await browser.login_as("viewer")
    async with browser.http.get("/admin/tail") as response:
        await browser.desk.admin_keys.revoke(ADMIN, id_)
        watched = await asyncio.wait_for(response.read(), 5)

    assert watched == b"retry: 2000\n\n"


async def test_tails_are_limited(admin, monkeypatch):
    """Each holds a connection, so there are only so many."""
    monkeypatch.setattr(pages_activity, "TAIL_POLL_S", 0.01)
    watching = [await admin.http.get("/admin/tail") for _ in range(20)]
    await admin.get("/admin/tail", 503)
    for one in watching:
        one.close()


async def test_a_database_that_is_down_is_told(admin, office, monkeypatch):
    """The page says so instead of being empty, and the login still works."""

    def fail(*_: object) -> None:
        raise Unavailable("The record store does not answer.")

    monkeypatch.setattr(type(office.records), "_begin", fail)
    text = await admin.get("/admin/activity", 503)

    assert "does not answer" in text


@pytest.mark.parametrize("path", ["/admin/nothing", "/admin/static/none.css", "/admin/rules/a/b"])
async def test_what_is_not_there_is_not_found(admin, path):
    """With a page that leads back."""
    assert 'href="/admin"' in await admin.get(path, 404)


async def test_static_files_are_kept_by_browsers(browser):
    """Their addresses change with what they hold; they are no secret."""
    text = await browser.get("/admin/login")
    (style,) = re.findall(r'href="(/admin/static/style.css[^"]+)"', text)
    async with browser.http.get(style) as response:
        assert "immutable" in response.headers["Cache-Control"]
        assert response.headers["Content-Type"] == "text/css; charset=utf-8"
