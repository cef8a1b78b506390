"""A browser before the dashboard, as far as cookies and forms go."""

from __future__ import annotations

import re
from contextlib import asynccontextmanager

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
