"""The settings of the dashboard: where browsers reach it, and who logs in without an admin key."""

from __future__ import annotations

from typing import Literal

from gateway.config.section import Positive, Section

Role = Literal["viewer", "operator", "admin"]
CALLBACK = "/admin/login/callback"  # where the identity provider sends browsers back to


class OidcSettings(Section, frozen=True):
    """
    Single sign-on at an identity provider that speaks OpenID Connect. Register a web application
    there, with the redirect URL of CALLBACK below ``admin.public_url``. People get the highest role
    that one of their groups has; whoever has none does not get in.
    """

    issuer: str  # its metadata lies below it, at /.well-known/openid-configuration
    client_id: str
    roles: dict[str, Role]  # group -> what its members may do
    client_secret: str | None = None  # secret; None: a public client, which PKCE alone protects
    scopes: tuple[str, ...] = ("openid", "email", "profile")  # some name groups only when asked to
    roles_claim: str = "groups"  # of the ID token: a group, or a list of them
    session_s: Positive = 43_200.0  # a working day; then the provider is asked for groups again


class AdminSettings(Section, frozen=True):
    """The dashboard and its logins. Admin keys always work, see ``state.admin_key``."""

    public_url: str | None = None  # such as https://llm.example.com; None: as each request says
    oidc: OidcSettings | None = None
