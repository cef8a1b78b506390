"""What a well-formed draft may still get wrong. Each yields (path, message)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from gateway.admin.office import Office
from gateway.config.known import Known, known_names
from gateway.config.problem import Problem, unknown
from gateway.core.errors import InvalidRequest
from gateway.core.limits import MOST_MAX, Window, parse_window
from gateway.core.money import NANO_USD_PER_USD
from gateway.execute.endpoint_guard import EndpointRefused, check_url
from gateway.state.fact_store import Ref
from gateway.state.facts import Limits, SpendLimit

Found = Iterator[tuple[str, str]]
NAME = re.compile(r"[\w.@-]{1,64}", re.ASCII)
DEFAULT = "default"  # the tenant and the project that are there without a fact
USD_MAX = MOST_MAX // NANO_USD_PER_USD  # that counters hold
ROUTE = re.compile(r"/[!-~]{0,255}", re.ASCII)


def check_name(name: str, what: str) -> str:
    """*name* where it may be the id of a fact. Raises InvalidRequest."""
    if not NAME.fullmatch(name):
        raise InvalidRequest(
            f"The {what} needs 1 to 64 of A-Z a-z 0-9 . _ @ - as its id.", param="$.id", status=422
        )
    return name


def tenant_problems(office: Office, tenant: str) -> Found:
    """The problem of a *tenant* that is not there."""
    tenants = {DEFAULT, *office.replica.facts.of("tenant")}
    if tenant not in tenants:
        yield "$.tenant", unknown("tenant", tenant, tenants)


def leans_on(office: Office, tenant: str = "", project: str = "") -> list[Ref]:
    """The facts that something of *tenant* and *project* cannot be without."""
    configured = {"", DEFAULT, *office.settings().config.projects}
    refs = [] if tenant in ("", DEFAULT) else [("tenant", tenant)]
    return refs if project in configured else [*refs, ("project", project)]


def project_problems(office: Office, tenant: str, project: str) -> Found:
    """The problem of a *project* that is not there, or is another tenant's."""
    stored = office.replica.facts.of("project")
    configured = {DEFAULT, *office.settings().config.projects}
    fact = stored.get(project)
    if fact is None and project not in configured:
        yield "$.project", unknown("project", project, {*stored, *configured})
    elif fact is not None and getattr(fact, "tenant", tenant) != tenant:
        yield "$.project", f"the project '{project}' is not of the tenant '{tenant}'"


def limit_problems(path: str, limits: Limits) -> Found:
    """Problems of *limits*."""
    for name in ("requests_per_minute", "tokens_per_minute", "concurrent"):
        if (getattr(limits, name) or 0) > MOST_MAX:
            yield f"{path}.{name}", f"more than {MOST_MAX}, up to which counters count"
    yield from spend_problems(f"{path}.spend", limits.spend)


def spend_problems(path: str, limits: Iterable[SpendLimit]) -> Found:
    """Windows that are none, and limits of one window that contradict each other."""
    seen: set[Window] = set()
    for index, limit in enumerate(limits):
        if limit.usd > USD_MAX:
            yield f"{path}[{index}].usd", f"{limit.usd:g} is more than {USD_MAX:g} USD"
        try:
            window = parse_window(limit.window)
        except ValueError as error:
            yield f"{path}[{index}].window", str(error)
            continue
        if window in seen:
            yield f"{path}[{index}].window", f"there is another limit per {window}"
        seen.add(window)


def known_of(office: Office) -> Known:
    """Everything that facts may refer to by name."""
    return known_names(office.settings().config)


def pairs(problems: Iterable[Problem]) -> Found:
    """*problems* of the configuration's checks as ours."""
    for problem in problems:
        yield problem.path, problem.message


def expiry_problems(expires_s: float | None, now_s: float) -> Found:
    """An expiry that has passed: revoking is what ends a key now."""
    if expires_s is not None and expires_s <= now_s:
        yield "$.expires_s", "lies in the past; revoke the key to end it now"


def route_problems(routes: Iterable[str]) -> Found:
    """Beginnings of paths that no path begins with."""
    for index, route in enumerate(routes):
        if not ROUTE.fullmatch(route):
            yield f"$.allowed_routes[{index}]", "expected the beginning of a path, such as /v1/chat"


def url_problems(office: Office, path: str, url: str) -> Found:
    """The problem of a *url* that operators may not have called."""
    hosts = [host.lower() for host in office.settings().config.server.endpoint_hosts]
    try:
        check_url(url, hosts)
    except EndpointRefused as error:
        yield path, f"{error} Hosts in the configuration's server.endpoint_hosts are let through."
