"""The door of the dashboard: who gets in, by admin key or single sign-on, and who is inside."""

from __future__ import annotations

import asyncio
import hmac
import logging
import math
from collections.abc import Mapping

import msgspec
from aiohttp import web

from gateway.admin.access import STATED
from gateway.admin.forms import read_form, read_query
from gateway.admin.oidc import ATTEMPT_S, Attempt, IdentityProvider, identity, new_attempt
from gateway.admin.pages_visit import Shared, go
from gateway.admin.render import cut, html
from gateway.admin.roles import Operator
from gateway.admin.sessions import COOKIE, IDLE_S, RENEW_S, Session
from gateway.config.admin_schema import CALLBACK
from gateway.core.errors import (
    MethodNotAllowed,
    NotFound,
    SwitchyardError,
    Unauthenticated,
    Unavailable,
)
from gateway.state.facts import AdminKey

log = logging.getLogger("switchyard")

HOME, LOGIN, SSO = "/admin", "/admin/login", "/admin/login/sso"
ATTEMPT_COOKIE, ATTEMPT = "switchyard_login", b"login"


class Door:
    """One per dashboard."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._office = shared.office
        self._sessions = shared.sessions
        self._provider: IdentityProvider | None = None

    async def answer(self, http: web.BaseRequest, path: str) -> web.StreamResponse:
        """/admin/login and what is below it. Raises NotFound, MethodNotAllowed."""
        if path == LOGIN and http.method == "POST":
            return await self._by_key(http)
        if path == LOGIN:
            return self._page(local(read_query(http).text("next")))
        if path not in (SSO, CALLBACK):
            raise NotFound("There is no such page.")
        if http.method != "GET":
            raise MethodNotAllowed("The login by single sign-on is no form.")
        return await (self._to_provider(http) if path == SSO else self._from_provider(http))

    def inside(self, http: web.BaseRequest) -> tuple[Session, Operator] | None:
        """Who is logged in, and as what they may act now; None for nobody."""
        session = self._sessions.read(http.cookies.get(COOKIE, ""), self._office.clock.wall())
        if session is None:
            return None
        who = self._holder(session) if session.group is None else self._member(session)
        return None if who is None else (session, who)

    def renew(self, http: web.BaseRequest, response: web.StreamResponse, session: Session) -> None:
        """Let the idle limit of *session* count from now."""
        now_s = self._office.clock.wall()
        if now_s - session.used_s > RENEW_S:
            self._hand(http, response, msgspec.structs.replace(session, used_s=now_s))

    def _holder(self, session: Session) -> Operator | None:
        """Who has the admin key of *session*, if its secret still works."""
        office, id_ = self._office, session.operator
        if id_ == STATED:
            stated = office.access.stated
            digests = [] if stated is None else [office.digest(str(stated))]
        else:
            fact, now_s = office.replica.facts.of("admin_key").get(id_), office.clock.wall()
            hashes = fact.hashes if isinstance(fact, AdminKey) else ()
            digests = [one.digest for one in hashes if (one.expires_s or math.inf) > now_s]
        opened = session.mark in map(self._sessions.mark, digests)
        return office.access.known(id_) if opened else None

    def _member(self, session: Session) -> Operator | None:
        """Who logged in at the provider, with the role that their group has now."""
        oidc, now_s = self._office.settings().config.admin.oidc, self._office.clock.wall()
        if oidc is None or now_s - session.opened_s > oidc.session_s:
            return None
        role = oidc.roles.get(session.group or "")
        if role is None or session.mark != self._sessions.mark(identity(oidc)):
            return None
        return Operator(session.operator, role)

    async def _by_key(self, http: web.BaseRequest) -> web.StreamResponse:
        """POST /admin/login."""
        form = await read_form(http)
        target, secret = local(form.text("next")), form.text("key")
        try:
            who = self._office.access.operator(secret, http.remote or "")
        except SwitchyardError as error:
            return self._page(target, error)
        response = go(target)
        await self._let_in(http, response, who.id, self._office.digest(secret))
        return response

    async def _to_provider(self, http: web.BaseRequest) -> web.StreamResponse:
        """GET /admin/login/sso. The browser goes to the provider, and keeps what we began."""
        target = local(read_query(http).text("next"))
        secure = self._is_secure(http)
        origin = self._office.settings().config.admin.public_url
        origin = origin or f"{'https' if secure else 'http'}://{http.host}"
        attempt = new_attempt(origin + CALLBACK, target, self._office.clock.wall())
        try:
            response = go(await self._identity_provider().address(attempt))
        except SwitchyardError as error:
            return self._page(target, error)
        response.set_cookie(
            ATTEMPT_COOKIE,
            self._sessions.sign(ATTEMPT, msgspec.json.encode(attempt)),
            path=HOME,
            max_age=int(ATTEMPT_S),
            httponly=True,
            samesite="Lax",  # it has to come along when another site, the provider, sends them back
            secure=secure,
        )
        return response

    async def _from_provider(self, http: web.BaseRequest) -> web.StreamResponse:
        """
        GET /admin/login/callback. The answer is a page that goes on by itself: the provider's site
        began this visit, and with a redirect browsers would keep the cookie of the session back.
        """
        target = HOME
        try:
            attempt = self._attempt(http)
            target = attempt.target
            query, provider = read_query(http), self._identity_provider()
            if not query.text("code"):
                told = cut(query.text("error", "nothing"), 60)
                raise Unauthenticated(f"The identity provider let nobody in: it said {told}.")
            person = await provider.person(attempt, query.text("code"))
        except SwitchyardError as error:
            if isinstance(error, Unavailable):
                log.warning("single sign-on: %s", error.message)
            response = self._page(target, error)
        else:
            text = self._shared.templates.get_template("arrived.html").render(next=target)
            response = html(text)
            await self._let_in(http, response, person.name, identity(provider.oidc), person.group)
        response.del_cookie(ATTEMPT_COOKIE, path=HOME)
        return response

    def _attempt(self, http: web.BaseRequest) -> Attempt:
        """What this browser began. Raises Unauthenticated."""
        payload = self._sessions.signed(ATTEMPT, http.cookies.get(ATTEMPT_COOKIE, ""))
        state = read_query(http).text("state")
        try:
            attempt = msgspec.json.decode(payload, type=Attempt)
        except msgspec.DecodeError:
            attempt = None
        if (
            attempt is None
            or attempt.until_s < self._office.clock.wall()
            or not hmac.compare_digest(attempt.state.encode(), state.encode())
        ):
            raise Unauthenticated(
                "This login was not begun here, is already over, or took longer than "
                f"{ATTEMPT_S / 60:g} minutes. Begin it again."
            )
        return attempt

    def _identity_provider(self) -> IdentityProvider:
        """The provider of the configuration in force. Raises NotFound where it has none."""
        settings = self._office.settings()
        oidc, secret = settings.config.admin.oidc, settings.oidc_secret
        if oidc is None:
            raise NotFound("Single sign-on is not set up: log in with an admin key.")
        known = self._provider
        if known is None or (known.oidc, known.secret) != (oidc, secret):
            known = self._provider = IdentityProvider(oidc, secret, self._office.clock)
        return known

    async def _let_in(
        self,
        http: web.BaseRequest,
        response: web.StreamResponse,
        operator: str,
        digest: str,
        group: str | None = None,
    ) -> None:
        """Open a session, and put it into the audit log."""
        session = self._sessions.open(operator, digest, self._office.clock.wall(), group)
        self._hand(http, response, session)
        detail = None if group is None else {"group": group}
        note = self._office.fact_store.note
        where = http.remote or ""
        try:
            await asyncio.to_thread(
                note, actor=operator, action="log in", kind="session", id_=where, detail=detail
            )
        except SwitchyardError as error:
            log.warning("a login is not in the audit log: %s", error.message)

    def _hand(self, http: web.BaseRequest, response: web.StreamResponse, session: Session) -> None:
        """Hand *session* to the browser, for our pages alone."""
        response.set_cookie(
            COOKIE,
            self._sessions.write(session),
            path=HOME,
            max_age=int(IDLE_S),
            httponly=True,
            samesite="Strict",
            secure=self._is_secure(http),
        )

    def _is_secure(self, http: web.BaseRequest) -> bool:
        """Whether browsers reach us by https, as the operator says or as this one did."""
        public_url = self._office.settings().config.admin.public_url or ""
        return public_url.startswith("https:") or is_secure(http.secure, http.headers)

    def _page(self, target: str, error: SwitchyardError | None = None) -> web.Response:
        """The login, after *error*."""
        text = self._shared.templates.get_template("login.html").render(
            next=target,
            problem=error.message if error else "",
            sso=SSO if self._office.settings().config.admin.oidc else "",
        )
        return html(text, error.status if error else 200)


def is_secure(encrypted: bool, headers: Mapping[str, str]) -> bool:  # noqa: FBT001 - a fact
    """Whether the browser reaches us by https, perhaps by way of a proxy."""
    forwarded = headers.get("X-Forwarded-Proto", "").partition(",")[0]
    return encrypted or forwarded.strip().lower() == "https"


def local(target: str) -> str:
    """*target* where it is a page of ours, else the first one."""
    inside = target == HOME or target.startswith((f"{HOME}/", f"{HOME}?"))
    return target if inside and target.isprintable() and "\\" not in target else HOME
