"""An identity provider for tests: it lets everybody in, and checks what is asked of it."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from html import escape
from typing import Any
from urllib.parse import urlencode

import jwt
from aiohttp import encode_basic_auth, web
from cryptography.hazmat.primitives.asymmetric import ec, rsa

CLIENT, SECRET = "switchyard", "s:cret of the client"
PERSON = {"sub": "00u1", "email": "alice@example.com", "groups": ["staff", "operators"]}


@cache
def rsa_key(name: str) -> rsa.RSAPrivateKey:
    """One key for each *name*; making one takes a while."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@cache
def ec_key() -> ec.EllipticCurvePrivateKey:
    """A key for ES256."""
    return ec.generate_private_key(ec.SECP256R1())


class FakeProvider:
    """
    What it says can be changed: *metadata* and *claims* go before its own members, and take away
    those that are None. *algorithm*, *kid* and *signer* are those of the token, *published* the
    keys. *asks*: Alice has to press a button. *reads* is how often its metadata were read.
    """

    def __init__(self) -> None:
        self.url = ""
        self.secret: str | None = SECRET
        self.metadata: dict[str, Any] = {}
        self.claims: dict[str, Any] = {}
        self.algorithm, self.kid, self.signer = "RS256", "one", rsa_key("one")
        self.published: dict[str, Any] = {"one": rsa_key("one")}
        self.asks = False
        self.reads = 0
        self._asked: dict[str, dict[str, str]] = {}  # code -> what it was asked with

    async def describe(self, http: web.Request) -> web.Response:
        """The metadata."""
        self.reads += 1
        ends = {"authorization_endpoint": "auth?x=1", "token_endpoint": "token", "jwks_uri": "keys"}
        own = {name: f"{self.url}/{end}" for name, end in ends.items()}
        return web.json_response(said({"issuer": self.url, **own, **self.metadata}))

    async def keys(self, http: web.Request) -> web.Response:
        """The public keys."""
        published = []
        for kid, key in self.published.items():
            of = jwt.algorithms.RSAAlgorithm
            if isinstance(key, ec.EllipticCurvePrivateKey):
                of = jwt.algorithms.ECAlgorithm
            published.append({**json.loads(of.to_jwk(key.public_key())), "kid": kid, "use": "sig"})
        return web.json_response({"keys": published})

    async def authorize(self, http: web.Request) -> web.Response:
        """Alice proves who she is, and is sent back."""
        asked = dict(http.query)
        if self.asks and "pressed" not in asked:
            fields = "".join(f'<input name="{k}" value="{escape(v)}">' for k, v in asked.items())
            form = f'<form>{fields}<button name="pressed">I am Alice</button></form>'
            return web.Response(text=form, content_type="text/html")
        assert asked.pop("x") == "1"
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        assert "openid" in asked["scope"].split()
        code = f"code-{len(self._asked)}"
        self._asked[code] = asked
        back = urlencode({"code": code, "state": asked["state"]})
        raise web.HTTPFound(f"{asked['redirect_uri']}?{back}")

    async def token(self, http: web.Request) -> web.Response:
        """The ID token for a code, once, and only to whom has begun."""
        form = await http.post()
        asked = self._asked.pop(str(form["code"]), None)
        digest = hashlib.sha256(str(form["code_verifier"]).encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if (
            asked is None
            or asked["redirect_uri"] != form["redirect_uri"]
            or asked["code_challenge"] != challenge
        ):
            return web.json_response({"error": "invalid_grant"}, status=400)
        if not self._is_client(http, dict(form)):
            return web.json_response({"error": "invalid_client"}, status=401)
        now_s = int(time.time())
        own = {"iss": self.url, "aud": CLIENT, "iat": now_s, "exp": now_s + 300}
        claims = said({**own, "nonce": asked["nonce"], **PERSON, **self.claims})
        headers = {"kid": self.kid} if self.kid else {}
        token = jwt.encode(claims, self.signer, self.algorithm, headers=headers)
        return web.json_response({"id_token": token, "access_token": "unused"})

    def _is_client(self, http: web.Request, form: dict[str, Any]) -> bool:
        """Whether the client proves itself in the way that the metadata ask for."""
        if self.secret and not self.metadata.get("token_endpoint_auth_methods_supported"):
            expected = encode_basic_auth(CLIENT, "s%3Acret%20of%20the%20client")
            return http.headers.get("Authorization") == expected and "client_id" not in form
        return (form.get("client_id"), form.get("client_secret")) == (CLIENT, self.secret)


def said(members: dict[str, Any]) -> dict[str, Any]:
    """*members* without those that are None."""
    return {name: value for name, value in members.items() if value is not None}


@asynccontextmanager
async def provided() -> AsyncIterator[FakeProvider]:
    """A provider that listens."""
    provider = FakeProvider()
    app = web.Application()
    app.router.add_get("/.well-known/openid-configuration", provider.describe)
    app.router.add_get("/keys", provider.keys)
    app.router.add_get("/auth", provider.authorize)
    app.router.add_post("/token", provider.token)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    provider.url = f"http://{host}:{port}"
    yield provider
    await runner.cleanup()
