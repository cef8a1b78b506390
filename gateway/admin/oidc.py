"""
Single sign-on by OpenID Connect: the authorization code flow with PKCE, without the pages.

The browser brings back a code; what it is worth the provider tells us alone, over a connection of
our own, in an ID token that it has signed. Who that is, and in which groups, is read there.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import math
import re
import secrets
from typing import Any, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import jwt
import msgspec
from aiohttp import ClientError, ClientSession, encode_basic_auth

from gateway.admin.render import cut
from gateway.admin.roles import RANKS
from gateway.admin.sessions import packed
from gateway.config.admin_schema import OidcSettings
from gateway.config.secrets import Secret
from gateway.core.clock import Clock
from gateway.core.errors import Forbidden, Unauthenticated, Unavailable

SIGNED_BY = ("RS256", "ES256")  # never none, nor what a secret that is known to the client signs
CLAIMS = ("iss", "aud", "sub", "iat", "exp", "nonce")  # that an ID token of this flow has
METADATA = "/.well-known/openid-configuration"
TIMEOUT_S = 10.0  # for one answer of the provider, with the wait for a turn
ASKING_MAX = 8  # questions to the provider at a time
BYTES_MAX = 2**20  # of an answer
FRESH_S = 3600.0  # metadata and keys are read again when they are so old
LEEWAY_S = 60.0  # that clocks may differ
ATTEMPT_S = 600.0  # for a person to prove who they are
GROUPS_SHOWN = 10
TRY_AGAIN = "Try again, or log in with an admin key."

T = TypeVar("T")


class Metadata(msgspec.Struct, frozen=True):
    """What a provider says of itself."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)


class Tokens(msgspec.Struct, frozen=True):
    """What a code is worth, or why it is worth nothing; other tokens are not used."""

    id_token: str = ""
    error: str = ""


class Attempt(msgspec.Struct, frozen=True):
    """A login that has been sent to the provider, as its cookie keeps it until *until_s*, wall."""

    state: str
    nonce: str
    verifier: str
    redirect_url: str
    target: str  # the page that was asked for
    until_s: float


class Person(msgspec.Struct, frozen=True):
    """
    Somebody whom the provider knows. *name* is what the audit log calls them. *group* is the one of
    theirs that has the highest role.
    """

    name: str
    group: str


def identity(oidc: OidcSettings) -> str:
    """What a session remembers of the provider that opened it."""
    return f"{oidc.issuer} {oidc.client_id}"


def new_attempt(redirect_url: str, target: str, now_s: float) -> Attempt:
    """A login that begins now and comes back to *redirect_url*."""
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    return Attempt(state, nonce, verifier, redirect_url, target, now_s + ATTEMPT_S)


class IdentityProvider:
    """
    The provider of *oidc*, where *secret* is that of our client.

    The mutable state: its metadata and its keys, and when they were read, monotonic.
    """

    def __init__(self, oidc: OidcSettings, secret: Secret | None, clock: Clock) -> None:
        self.oidc = oidc
        self.secret = secret
        self._clock = clock
        self._turns = asyncio.Semaphore(ASKING_MAX)
        self._read_s = -math.inf
        self._metadata: Metadata
        self._keys: list[jwt.PyJWK] = []

    async def address(self, attempt: Attempt) -> str:
        """Where a browser has to go for *attempt*. Raises Unavailable."""
        endpoint = (await self._known()).authorization_endpoint
        challenge = packed(hashlib.sha256(attempt.verifier.encode()).digest())
        query = {
            "response_type": "code",
            "client_id": self.oidc.client_id,
            "redirect_uri": attempt.redirect_url,
            "scope": " ".join(self.oidc.scopes),
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}"

    async def person(self, attempt: Attempt, code: str) -> Person:
        """
        Who has come back with *code*.

        Raises:
            Unauthenticated: the code is not taken, or the token is not to be believed.
            Forbidden: none of their groups has a role.
            Unavailable: the provider does not answer, or in another language.
        """
        token = await self._token(attempt, code)
        try:
            key = await self._key(jwt.get_unverified_header(token))
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=SIGNED_BY,
                audience=self.oidc.client_id,
                issuer=self.oidc.issuer,
                leeway=LEEWAY_S,
                options={"require": list(CLAIMS), "enforce_minimum_key_length": True},
            )
        except jwt.PyJWTError as error:
            raise unbelievable(str(error)) from None
        if not hmac.compare_digest(str(claims["nonce"]).encode(), attempt.nonce.encode()):
            raise unbelievable("It is that of another login")
        if claims.get("azp", self.oidc.client_id) != self.oidc.client_id:
            raise unbelievable("It was made for another client")
        return Person(f"sso:{name_of(claims)}", group_of(claims, self.oidc))

    async def _known(self, *, anew: bool = False) -> Metadata:
        """The metadata; they and the keys are read where they are old, or *anew*."""
        now_s = self._clock.monotonic()
        if anew or now_s - self._read_s > FRESH_S:
            issuer = self.oidc.issuer
            found = await self._ask("GET", issuer.rstrip("/") + METADATA, Metadata)
            if found.issuer != issuer:
                named = cut(found.issuer, 200)
                raise Unavailable(f"The provider calls itself {named}, not as admin.oidc.issuer.")
            for url in (found.authorization_endpoint, found.token_endpoint, found.jwks_uri):
                if urlsplit(url).scheme not in ("https", urlsplit(issuer).scheme):
                    raise Unavailable(f"The identity provider is not reached by https. {TRY_AGAIN}")
            keys = await self._ask("GET", found.jwks_uri, dict[str, Any])
            try:
                self._keys = jwt.PyJWKSet.from_dict(keys).keys
            except jwt.PyJWTError:
                raise Unavailable(
                    f"The identity provider shows no usable key. {TRY_AGAIN}"
                ) from None
            self._metadata, self._read_s = found, now_s
        return self._metadata

    async def _key(self, header: dict[str, Any]) -> jwt.PyJWK:
        """The key that *header* names, read anew where it is not known: providers rotate them."""
        id_, algorithm = header.get("kid"), header.get("alg")
        for anew in (False, True):
            await self._known(anew=anew)
            for key in self._keys:
                if key.algorithm_name == algorithm and id_ in (None, key.key_id):
                    return key
        raise unbelievable(f"The provider has no key for it ({cut(str(algorithm), 20)})")

    async def _token(self, attempt: Attempt, code: str) -> str:
        """The ID token that *code* is worth. Raises Unauthenticated, Unavailable."""
        metadata, client = await self._known(), self.oidc.client_id
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": attempt.redirect_url,
            "code_verifier": attempt.verifier,
        }
        headers = {}
        if self.secret is None:
            form["client_id"] = client
        elif "client_secret_basic" in metadata.token_endpoint_auth_methods_supported:
            pair = (quote(text, safe="") for text in (client, self.secret))
            headers["Authorization"] = encode_basic_auth(*pair)
        else:
            form |= {"client_id": client, "client_secret": str(self.secret)}
        url = metadata.token_endpoint
        answer = await self._ask("POST", url, Tokens, data=form, headers=headers)
        if not answer.id_token:
            reason = cut(answer.error or "no ID token", 60)
            raise Unauthenticated(f"The identity provider refused the login: {reason}. {TRY_AGAIN}")
        return answer.id_token

    async def _ask(self, method: str, url: str, kind: type[T], **options: Any) -> T:
        """
        What the provider answers. Redirects are not followed, which could lead a secret astray.

        Raises:
            Unavailable: it does not answer, or in another language.
        """
        body = b""
        try:
            async with asyncio.timeout(TIMEOUT_S), self._turns, ClientSession() as client:
                asked = client.request(method, url, allow_redirects=False, **options)
                async with asked as response:
                    if response.status >= 500:
                        response.raise_for_status()
                    async for piece in response.content.iter_any():
                        body += piece
                        if len(body) > BYTES_MAX:
                            raise Unavailable(f"The identity provider says too much. {TRY_AGAIN}")
            return msgspec.json.decode(body, type=kind)
        except (ClientError, TimeoutError, OSError):
            message = "The identity provider does not answer"
        except (msgspec.DecodeError, UnicodeDecodeError):
            message = f"The identity provider's answer ({response.status}) is not what we asked for"
        raise Unavailable(f"{message}. {TRY_AGAIN}")


def unbelievable(reason: str) -> Unauthenticated:
    """The token is worth nothing."""
    return Unauthenticated(f"The identity provider's token is not to be believed: {reason}.")


def name_of(claims: dict[str, Any]) -> str:
    """An e-mail address that is theirs, else what the provider calls them."""
    email, subject = claims.get("email"), str(claims["sub"])
    theirs = isinstance(email, str) and claims.get("email_verified", True) in (True, "true")
    if theirs and re.fullmatch(r"[!-~]{1,200}", str(email)):
        return str(email)
    if not re.fullmatch(r"[!-~]{1,255}", subject):  # as OpenID Connect has it
        raise unbelievable("Its subject is none")
    return subject


def group_of(claims: dict[str, Any], oidc: OidcSettings) -> str:
    """The group with the highest role. Raises Forbidden where none has any."""
    given = claims.get(oidc.roles_claim)
    groups = [
        one for one in (given if isinstance(given, list) else [given]) if isinstance(one, str)
    ]
    if known := [one for one in groups if one in oidc.roles]:
        return max(known, key=lambda one: RANKS[oidc.roles[one]])
    claim = f"the claim '{oidc.roles_claim}' of your token"
    shown = ", ".join(cut(one, 60) for one in groups[:GROUPS_SHOWN])
    raise Forbidden(
        "The identity provider knows you, but you have no role here: "
        + (f"{claim} has {shown}. " if groups else f"{claim} is missing or empty. ")
        + "Ask who runs this gateway to give one of your groups a role, in admin.oidc.roles, "
        "or log in with an admin key."
    )
