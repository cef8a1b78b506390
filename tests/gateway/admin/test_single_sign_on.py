"""Single sign-on for the dashboard, before an identity provider that says what a test wants."""

from __future__ import annotations

import re
import shutil
import time

import msgspec
import pytest
from yarl import URL

from gateway.admin.oidc import ATTEMPT_S
from gateway.config.admin_schema import AdminSettings, OidcSettings
from gateway.config.secrets import Secret
from gateway.state.facts import Tenant
from tests.gateway.admin.browsers import STATED, opened
from tests.gateway.admin.identity import CLIENT, SECRET, ec_key, provided, rsa_key
from tests.gateway.admin.offices import ADMIN, close, office_of

ALICE = "sso:alice@example.com"
NOT_HERE = "This login was not begun here"
CHROMIUM = shutil.which("chromium")


class Setup:
    """An office whose settings of single sign-on a test may change, as a reload does."""

    def __init__(self, folder, clock, provider) -> None:
        self.provider = provider
        self.office = office_of(folder, clock, stated=Secret(STATED))
        self._settings = self.office.settings()
        self.office = msgspec.structs.replace(self.office, settings=lambda: self._settings)
        roles = {"operators": "operator", "readers": "viewer", "root": "admin"}
        self.oidc = OidcSettings(issuer=provider.url, client_id=CLIENT, roles=roles)
        self.use(AdminSettings(oidc=self.oidc))

    def use(self, admin: AdminSettings) -> None:
        """From now on these settings are in force."""
        config = msgspec.structs.replace(self._settings.config, admin=admin)
        secret = None if self.provider.secret is None else Secret(SECRET)
        self._settings = msgspec.structs.replace(self._settings, config=config, oidc_secret=secret)

    def change(self, **members: object) -> None:
        """The same with other *members*."""
        self.use(AdminSettings(oidc=msgspec.structs.replace(self.oidc, **members)))


@pytest.fixture
async def provider():
    """The identity provider."""
    async with provided() as made:
        yield made


@pytest.fixture
async def setup(tmp_path, clock, provider):
    """An office that trusts *provider*."""
    made = Setup(tmp_path, clock, provider)
    await made.office.replica.refresh()
    yield made
    close(made.office)


@pytest.fixture
async def browser(setup):
    """Nobody is logged in."""
    async with opened(setup.office) as browser:
        yield browser


async def go_to(browser, url: str, status: int = 303) -> URL:
    """Where *url* sends the browser."""
    async with browser.http.get(URL(url, encoded=True), allow_redirects=False) as response:
        assert response.status == status, await response.text()
        return URL(response.headers["Location"], encoded=True)


async def callback(browser, target: str = "/admin/audit") -> str:
    """Log in at the provider; the address that it sends the browser back to."""
    there = await go_to(browser, f"/admin/login/sso?next={target}")
    return (await go_to(browser, str(there), 302)).raw_path_qs


async def enter(browser, status: int = 200) -> str:
    """Log in by single sign-on: the page that the browser ends at."""
    return await browser.get(await callback(browser), status)


async def who(browser) -> str:
    """Who the dashboard says is logged in, with their role."""
    found = re.search(r'class="role">([^<]+)<', await browser.get("/admin/audit"))
    return found[1] if found else ""


async def test_a_person_logs_in_and_acts_in_their_own_name(browser):
    """The page goes on to what was asked for; the audit log has the login and what they did."""
    assert 'href="/admin/login/sso?next=' in await browser.get("/admin/login")
    text = await enter(browser)

    assert 'content="0; url=/admin/audit"' in text
    assert await who(browser) == f"{ALICE} (operator)"
    await browser.post("/admin/keys", do="create_tenant", id="acme")
    assert (await browser.desk.tenants.get(ADMIN, "acme")).value == Tenant()
    audit = await browser.get("/admin/audit")
    assert audit.count(f"<td>{ALICE}</td>") == 2
    assert "group" in audit
    text = await browser.post("/admin/settings", 403, do="create_admin_key", role="admin")
    assert "This takes the role admin" in text
    await browser.post("/admin/keys", 403, do="create_tenant", id="other", token="x")


async def test_the_cookies_of_a_login(browser):
    """The attempt comes back from another site, the session never goes with a visit from one."""
    headers = {"X-Forwarded-Proto": "https"}
    async with browser.http.get(
        "/admin/login/sso", headers=headers, allow_redirects=False
    ) as response:
        attempt, there = response.headers["Set-Cookie"], response.headers["Location"]
    for part in ("HttpOnly", "SameSite=Lax", "Path=/admin", "Secure", f"Max-Age={ATTEMPT_S:.0f}"):
        assert part in attempt
    assert URL(there).query["redirect_uri"].startswith("https://127.0.0.1:")
    async with browser.http.get(await callback(browser)) as response:
        gone, session = sorted(response.headers.getall("Set-Cookie"))

    assert 'switchyard_login=""' in gone
    assert "SameSite=Strict" in session


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"nonce": "of another login"}, "another login"),
        ({"nonce": None}, "nonce"),
        ({"aud": "another-client"}, "Audience"),
        ({"aud": None}, "aud"),
        ({"aud": [CLIENT, "other"], "azp": "other"}, "another client"),
        ({"iss": "https://evil.example.com"}, "issuer"),
        ({"exp": int(time.time()) - 3600}, "expired"),
        ({"exp": None}, "exp"),
        ({"iat": int(time.time()) + 3600}, "iat"),
        ({"sub": None}, "sub"),
        ({"sub": "two\nlines", "email": None}, "subject"),
    ],
)
async def test_a_token_that_says_something_else_opens_nothing(browser, provider, claims, reason):
    """Each claim is checked; the page says which is wrong."""
    provider.claims = claims
    text = await enter(browser, 401)

    assert "not to be believed" in text
    assert reason in text
    await browser.get("/admin/audit", 303)


@pytest.mark.parametrize(
    ("algorithm", "signer"),
    [
        ("none", None),
        ("HS256", b"x" * 64),
        ("RS512", rsa_key("one")),
        ("RS256", rsa_key("of a stranger")),
        ("ES256", ec_key()),
    ],
)
async def test_a_token_that_is_not_signed_by_the_provider_opens_nothing(
    browser, provider, algorithm, signer
):
    """Not without a signature, not with another algorithm, not with another key."""
    provider.algorithm, provider.signer = algorithm, signer
    text = await enter(browser, 401)

    assert "not to be believed" in text
    await browser.get("/admin/audit", 303)


@pytest.mark.parametrize(
    ("groups", "told"),
    [
        (["staff", "<b>"], "has staff, &lt;b&gt;."),
        (None, "is missing or empty"),
        ([], "is missing or empty"),
        ({"operators": True}, "is missing or empty"),
        ([["operators"]], "is missing or empty"),
    ],
)
async def test_nobody_gets_in_without_a_role(browser, provider, groups, told):
    """The page says what came along, what to do, and still takes an admin key."""
    provider.claims = {"groups": groups}
    text = await enter(browser, 403)

    assert told in text
    assert "admin.oidc.roles" in text
    assert 'name="key"' in text
    await browser.get("/admin/audit", 303)


@pytest.mark.parametrize(
    ("groups", "role"),
    [(["readers", "root", "operators"], "admin"), (["operators", "readers"], "operator"),
     ("readers", "viewer")],
)  # fmt: skip
async def test_the_highest_role_counts(browser, provider, groups, role):
    """Of all groups, or of the only one."""
    provider.claims = {"groups": groups}
    await enter(browser)

    assert await who(browser) == f"{ALICE} ({role})"


@pytest.mark.parametrize(
    "claims", [{"email": None}, {"email_verified": False}, {"email": "a b@example.com"}]
)
async def test_an_address_that_may_not_be_theirs_names_nobody(browser, provider, claims):
    """The provider's own id does."""
    provider.claims = claims
    await enter(browser)

    assert await who(browser) == "sso:00u1 (operator)"


async def test_a_login_is_good_for_one_session(browser):
    """Who replays the address finds the attempt over; who kept its cookie, the code."""
    back = await callback(browser)
    kept = {one.key: one.value for one in browser.http.cookie_jar}
    await browser.get(back)
    browser.http.cookie_jar.clear()

    assert NOT_HERE in await browser.get(back, 401)
    browser.http.cookie_jar.update_cookies(kept)
    assert "invalid_grant" in await browser.get(back, 401)
    await browser.get("/admin/audit", 303)


async def test_a_login_ends_in_the_browser_that_began_it(browser, setup, clock):
    """Not in another one, not with another state, not with a forged cookie, not any time later."""
    back = await callback(browser)
    (kept,) = [one.value for one in browser.http.cookie_jar]
    async with opened(setup.office) as other:
        assert NOT_HERE in await other.get(back, 401)
        await callback(other)
        assert NOT_HERE in await other.get(back, 401)
        forged = f"{kept.partition('.')[0]}.AAAA"
        other.http.cookie_jar.update_cookies({"switchyard_login": forged})
        assert NOT_HERE in await other.get(back, 401)
        await other.get("/admin/audit", 303)
    back = await callback(browser)
    clock.advance(ATTEMPT_S + 1)

    assert NOT_HERE in await browser.get(back, 401)
    await browser.get("/admin/audit", 303)


async def test_what_the_provider_refuses_is_told(browser):
    """Its error stands on the page, where the state is ours."""
    there = await go_to(browser, "/admin/login/sso")
    back = f"/admin/login/callback?error=access_denied&state={there.query['state']}"

    assert "access_denied" in await browser.get(back, 401)
    assert "access_denied" not in await browser.get(back, 401)


async def test_a_wrong_secret_is_told(browser, provider):
    """The provider does not know us by it."""
    provider.secret = None

    assert "invalid_client" in await enter(browser, 401)


@pytest.mark.parametrize(
    ("secret", "methods"), [(SECRET, None), (SECRET, ["client_secret_post"]), (None, ["none"])]
)
async def test_a_client_proves_itself_as_the_provider_wants(
    browser, setup, provider, secret, methods
):
    """By a header, by the form, or by PKCE alone."""
    provider.secret = secret
    provider.metadata = {"token_endpoint_auth_methods_supported": methods}
    setup.change()

    await enter(browser)


async def test_keys_are_rotated(browser, provider):
    """A key that is not known is looked for; one without an id is told by its algorithm."""
    await enter(browser)
    await enter(browser)
    assert provider.reads == 1
    provider.published = {"one": rsa_key("one"), "two": ec_key()}
    provider.kid, provider.algorithm, provider.signer = "two", "ES256", ec_key()
    await enter(browser)
    provider.kid = ""
    await enter(browser)

    assert provider.reads == 2


@pytest.mark.parametrize(
    "metadata",
    [{"issuer": "https://other.example.com"}, {"token_endpoint": None},
     {"authorization_endpoint": "javascript:alert(1)"}, {"jwks_uri": "http://127.0.0.1:1/none"}],
)  # fmt: skip
async def test_a_provider_that_is_wrong_or_down_leaves_the_key(browser, provider, metadata):
    """The page says so; the login by key works as ever."""
    provider.metadata = metadata
    text = await browser.get("/admin/login/sso", 503)

    assert 'role="alert"' in text
    await browser.login()
    await browser.get("/admin/audit")


async def test_a_provider_that_goes_down_meanwhile(browser, setup, tmp_path, clock):
    """Between the two halves of a login, and before the first."""
    async with provided() as brief:
        setup.change(issuer=brief.url)
        back = await callback(browser)

    assert "does not answer" in await browser.get(back, 503)
    setup.change(issuer=brief.url, client_id="again")
    assert "does not answer" in await browser.get("/admin/login/sso", 503)
    await browser.login()


async def test_a_session_ends_after_its_life(browser, clock, setup):
    """However much it is used: groups are looked at at each login, and only then."""
    setup.change(session_s=3 * 3600.0)
    await enter(browser)
    for _ in range(3):
        clock.advance(3600)
        await browser.get("/admin/audit")
    clock.advance(1)

    await browser.get("/admin/audit", 303)


async def test_a_session_goes_by_the_configuration_of_now(browser, setup):
    """A group may gain or lose its role; without it, or the provider, sessions end."""
    await enter(browser)
    setup.change(roles={"operators": "viewer"})
    assert await who(browser) == f"{ALICE} (viewer)"
    for members in ({"roles": {"staff": "admin"}}, {"client_id": "new"}, {"issuer": "https://new"}):
        setup.change(**members)
        await browser.get("/admin/audit", 303)
    setup.use(AdminSettings())
    await browser.get("/admin/audit", 303)
    setup.change()

    await browser.get("/admin/audit")


async def test_without_single_sign_on_nothing_leads_there(browser, setup):
    """No button, no redirect; and no form in any case."""
    setup.use(AdminSettings())
    assert "/admin/login/sso" not in await browser.get("/admin/login")
    for path in ("/admin/login/sso", "/admin/login/callback?code=x"):
        await browser.get(path, 404 if path.endswith("sso") else 401)
        async with browser.http.post(path) as response:
            assert response.status == 405
    await browser.get("/admin/login/other", 404)


async def test_the_public_address_is_the_one_to_come_back_to(browser, setup):
    """Behind a proxy that says nothing of where browsers are."""
    setup.use(AdminSettings(public_url="https://llm.example.com", oidc=setup.oidc))
    there = await go_to(browser, "/admin/login/sso?next=https://evil.example.com")

    assert there.query["redirect_uri"] == "https://llm.example.com/admin/login/callback"
    async with browser.http.get("/admin/login/sso", allow_redirects=False) as response:
        assert response.cookies["switchyard_login"]["secure"]


async def test_logging_out_ends_a_session_of_single_sign_on(browser):
    """As it ends one by key."""
    await enter(browser)
    kept = {one.key: one.value for one in browser.http.cookie_jar}
    await browser.post("/admin/logout")
    browser.http.cookie_jar.update_cookies(kept)

    await browser.get("/admin/audit", 303)


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium: apt-get install chromium")
async def test_a_real_browser_comes_back_from_another_site(browser, setup, provider):
    """It has the session although the provider's site sent it, which SameSite=Strict is wary of."""
    playwright = pytest.importorskip("playwright.async_api", reason="playwright is not installed")
    provider.asks, provider.url = True, provider.url.replace("127.0.0.1", "localhost")
    setup.change(issuer=provider.url)
    async with playwright.async_playwright() as driver:
        chromium = await driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = await chromium.new_page(base_url=str(browser.http._base_url))
        await page.goto("/admin/audit")
        await page.get_by_role("link", name="Single sign-on").click()
        await page.get_by_role("button", name="I am Alice").click()
        await page.wait_for_url("**/admin/audit")

        assert await page.locator(".who .role").inner_text() == f"{ALICE} (operator)"
        await chromium.close()
