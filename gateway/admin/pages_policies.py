"""Content policies: what prompts may not ask for."""

from __future__ import annotations

import secrets
from typing import Any

import msgspec
from aiohttp import web

from gateway.admin.forms import Form
from gateway.admin.pages_rule_form import read_yaml
from gateway.admin.pages_visit import Visit, do, go
from gateway.config.yaml_tree import stated, yaml_text
from gateway.core.content_policy import ContentPolicy, PolicyCategory
from gateway.core.errors import InvalidRequest
from gateway.core.findings import ATTACKS
from gateway.state.facts import PolicyFact

HERE = "/admin/policies"
ACTIONS = (("block", "block"), ("allow_with_warning", "allow with a warning"))
BLANK = PolicyFact(policy=ContentPolicy(name=""))


async def show(visit: Visit) -> web.StreamResponse:
    """GET /admin/policies, or one of them below it."""
    stored = await visit.desk.content_policies.list(visit.who)
    item = None
    if visit.tail:
        item = await visit.desk.content_policies.get(visit.who, visit.tail)
    scan = visit.office.settings().config.scan
    return visit.page(
        "policies.html",
        stored=stored,
        in_file=scan.policies,
        scan=scan,
        item=item,
        fact=BLANK if item is None else item.value,
        actions=ACTIONS,
        attacks=ATTACKS,
        tenants=sorted({"default", *visit.office.replica.facts.of("tenant")}),
        categories=categories_text,
    )


async def change(visit: Visit) -> web.StreamResponse:
    """POST /admin/policies and below."""
    return await do(visit, {"create": create, "update": update, "delete": delete})


async def create(visit: Visit) -> web.StreamResponse:
    """One more."""
    id_ = visit.form.text("id") or f"policy-{secrets.token_hex(4)}"
    await visit.desk.content_policies.create(visit.who, id_, fact_of(visit.form))
    return go(HERE, "created")


async def update(visit: Visit) -> web.StreamResponse:
    """Another in its place."""
    version = visit.form.count("version")
    fact = fact_of(visit.form)
    await visit.desk.content_policies.update(visit.who, visit.tail, fact, version)
    return go(f"{HERE}/{visit.tail}", "saved")


async def delete(visit: Visit) -> web.StreamResponse:
    """Forget one."""
    await visit.desk.content_policies.delete(visit.who, visit.form.need("id"))
    return go(HERE, "deleted")


def fact_of(form: Form) -> PolicyFact:
    """The form of a policy. Raises InvalidRequest."""
    text = form.text("categories")
    fields: dict[str, Any] = {
        "name": form.need("name"),
        "description": form.text("description"),
        "categories": read_yaml(text, "Categories", tuple[PolicyCategory, ...]) if text else (),
        "patterns": form.lines("patterns"),
        "phrases": form.lines("phrases"),
        "examples": form.lines("examples"),
        "negative_examples": form.lines("negative_examples"),
        "harm": form.every("harm"),
        "action": form.text("action") or None,
        "projects": form.words("projects"),
    }
    for name in ("threshold", "harm_min"):
        if (number := form.number(name)) is not None:
            fields[name] = number
    try:
        policy = msgspec.convert(fields, ContentPolicy)
    except msgspec.ValidationError as error:
        raise InvalidRequest(f"The policy: {error}") from None
    return PolicyFact(policy=policy, tenant=form.text("tenant"))


def categories_text(policy: ContentPolicy) -> str:
    """The categories of *policy* as YAML."""
    return yaml_text([stated(one) for one in policy.categories]) if policy.categories else ""
