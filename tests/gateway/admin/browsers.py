"""A browser before the dashboard, as far as cookies and forms go."""

from __future__ import annotations

import re
from contextlib import asynccontextmanager
from html.parser import HTMLParser

from aiohttp import ClientSession, CookieJar, web

from gateway.admin.admin_keys import AdminKeyDraft
from gateway.admin.desk import Desk
from gateway.admin.pages import Dashboard
from tests.gateway.admin.offices import ADMIN

STATED = "an-admin-key-of-the-configuration"


class Browser:
    """A client with cookies that reads forms like a browser. *office* is what it looks at."""

    def __init__(self, http: ClientSession, office) -> None:
        self.http = http
        self.office = office
        self.desk = Desk(office)

    async def get(self, path: str, status: int = 200) -> str:
        """The text of a page."""
        async with self.http.get(path, allow_redirects=False) as response:
            assert response.status == status, await response.text()
            return await response.text()

    async def post(self, path: str, status: int = 303, **fields: str) -> str:
        """The text that answers a form, with the token of the session."""
        token = re.search(r'name="token" value="([^"]+)"', await self.get("/admin/settings"))
        fields = {"token": token[1] if token else "", **fields}
        async with self.http.post(path, data=fields, allow_redirects=False) as response:
            assert response.status == status, await response.text()
            return await response.text()

    async def login(self, key: str = STATED, status: int = 303) -> str:
        """Log in with *key*."""
        fields = {"key": key}
        async with self.http.post("/admin/login", data=fields, allow_redirects=False) as response:
            assert response.status == status
            return await response.text()

    async def login_as(self, role: str) -> str:
        """Log in with a new key of that role; the id of the key."""
        made = await self.desk.admin_keys.create(ADMIN, AdminKeyDraft(role=role))
        await self.login(made.secret)
        return made.id


class Fields(HTMLParser):
    """What a browser would send of each form of a page, and the button that sends it."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[dict[str, str]] = []
        self._select = self._area = ""
        self._value: str | None = None

    def handle_starttag(self, tag, attrs) -> None:
        """A field begins, or a form."""
        said = dict(attrs)
        if tag == "form":
            self.forms.append({})
        elif not self.forms:
            return
        elif tag == "select":
            self._select = said["name"]
        elif tag == "textarea":
            self._area = said["name"]
            self.forms[-1][self._area] = ""
        elif tag == "option" and (self._select not in self.forms[-1] or "selected" in said):
            self.forms[-1][self._select] = said.get("value") or ""
            self._value = None if "value" in said else self._select
        elif tag in ("input", "button") and "name" in said:
            ticked = said.get("type") != "checkbox" or "checked" in said
            self.forms[-1] |= {said["name"]: said.get("value") or ""} if ticked else {}

    def handle_data(self, data: str) -> None:
        """What stands in a text area or in an option without a value."""
        name = self._area or self._value
        if name:
            self.forms[-1][name] += data

    def handle_endtag(self, tag: str) -> None:
        """It ends."""
        self._value = None
        self._area = "" if tag == "textarea" else self._area


def filled(page: str, verb: str) -> dict[str, str]:
    """The fields of the form of *page* that does *verb*, as they are shown."""
    parser = Fields()
    parser.feed(page)
    return next(form for form in parser.forms if form.get("do") == verb)


@asynccontextmanager
async def opened(office):
    """A browser before the dashboard of *office*."""
    runner = web.ServerRunner(web.Server(Dashboard(office).answer), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    jar = CookieJar(unsafe=True)
    async with ClientSession(f"http://{host}:{port}", cookie_jar=jar) as http:
        yield Browser(http, office)
    await runner.cleanup()
