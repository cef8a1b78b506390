"""Rules of a project: in force, drafted, tried on recent records, published and taken back."""

from __future__ import annotations

from urllib.parse import quote

from aiohttp import web

from gateway.admin.pages_rule_form import (
    conditions_text,
    rule_of,
    rules_of,
    rules_text,
    told_conditions,
    told_target,
)
from gateway.admin.pages_visit import Visit, do, go
from gateway.admin.rules import Publish, RulesTest, Tested
from gateway.config.schema import MODES, Rule
from gateway.core.errors import InvalidRequest
from gateway.learn.shipped import find_template
from gateway.state.facts import COMMON_RULES, RuleSet
from models.scores import TASK_TYPES, TIERS

HERE = "/admin/rules"
TEST_RECORDS = 500
RULES_MAX = 200  # in one draft


async def show(visit: Visit) -> web.StreamResponse:
    """GET /admin/rules and below: those of one project, ``*`` for the common ones."""
    return await page(visit, None)


async def page(visit: Visit, tested: Tested | None) -> web.Response:
    """Everything about the rules of a project, and what a test has found."""
    rules, who, project = visit.desk.rules, visit.who, project_of(visit)
    versions = await rules.versions(who, project)
    fleet = visit.office.settings().fleet
    return visit.page(
        "rules.html",
        project=project,
        path=path_of(project),
        projects=[(path_of(one.project), one) for one in await rules.projects(who)],
        live=await rules.live(who, project),
        draft=await rules.draft(who, project),
        behind=rules.behind(project),
        versions=versions,
        current=versions[0].version if versions else 0,
        tested=tested,
        templates=await rules.templates(who),
        test_records=TEST_RECORDS,
        task_types=TASK_TYPES,
        tiers=TIERS,
        models=tuple(dict.fromkeys(one.model for one in fleet.deployments)),
        providers=tuple(dict.fromkeys(one.provider for one in fleet.deployments)),
        modes=tuple({**MODES, **visit.office.settings().config.routing.modes}),
        conditions_text=conditions_text,
        rules_text=rules_text,
        told_conditions=told_conditions,
        told_target=told_target,
    )


async def change(visit: Visit) -> web.StreamResponse:
    """POST /admin/rules/{project}."""
    verbs = {
        "save_rule": save_rule,
        "add_rule": add_rule,
        "up": up,
        "down": down,
        "remove": remove,
        "save_text": save_text,
        "template": insert_template,
        "test": test,
        "publish": publish,
        "discard": discard,
        "rollback": rollback,
    }
    return await do(visit, verbs)


async def save_rule(visit: Visit) -> web.StreamResponse:
    """Another rule in the place of one of the draft."""
    rules, index = await drafted(visit)
    return await keep(visit, (*rules[:index], rule_of(visit.form), *rules[index + 1 :]))


async def add_rule(visit: Visit) -> web.StreamResponse:
    """One more at the end of the draft."""
    rule = rule_of(visit.form)
    draft = await visit.desk.rules.draft(visit.who, project_of(visit))
    if any(one.id == rule.id for one in draft.value.rules):
        raise InvalidRequest(f"The draft has a rule '{rule.id}' already.", param="id")
    return await keep(visit, (*draft.value.rules, rule))


async def up(visit: Visit) -> web.StreamResponse:
    """Before the one that was before it."""
    rules, index = await drafted(visit)
    return await keep(visit, swapped(rules, index, max(0, index - 1)))


async def down(visit: Visit) -> web.StreamResponse:
    """Behind the one that was behind it."""
    rules, index = await drafted(visit)
    return await keep(visit, swapped(rules, index, min(len(rules) - 1, index + 1)))


async def remove(visit: Visit) -> web.StreamResponse:
    """Out of the draft."""
    rules, index = await drafted(visit)
    return await keep(visit, (*rules[:index], *rules[index + 1 :]))


async def save_text(visit: Visit) -> web.StreamResponse:
    """The whole draft as it is written."""
    return await keep(visit, rules_of(visit.form.text("text")))


async def insert_template(visit: Visit) -> web.StreamResponse:
    """The rules of a template behind those of the draft."""
    found = find_template(visit.form.need("template"))
    draft = await visit.desk.rules.draft(visit.who, project_of(visit))
    taken = {rule.id for rule in draft.value.rules}
    fresh = tuple(rule for rule in found.rules if rule.id not in taken)
    return await keep(visit, (*draft.value.rules, *fresh), "inserted")


async def test(visit: Visit) -> web.StreamResponse:
    """What the draft would have changed; nothing changes."""
    limit = visit.form.count("limit") or TEST_RECORDS
    value = RulesTest(limit=max(1, min(limit, 10_000)))
    return await page(visit, await visit.desk.rules.test(visit.who, project_of(visit), value))


async def publish(visit: Visit) -> web.StreamResponse:
    """Route by the draft from now on."""
    project, value = project_of(visit), Publish(note=visit.form.text("note")[:200])
    await visit.desk.rules.publish(visit.who, project, value, visit.form.count("version"))
    return go(path_of(project), "published")


async def discard(visit: Visit) -> web.StreamResponse:
    """Forget the draft."""
    project = project_of(visit)
    await visit.desk.rules.discard_draft(visit.who, project, visit.form.count("version"))
    return go(path_of(project), "discarded")


async def rollback(visit: Visit) -> web.StreamResponse:
    """Publish an earlier version again."""
    project, version = project_of(visit), visit.form.count("version")
    if version is None:
        raise InvalidRequest("Which version?", param="version")
    await visit.desk.rules.rollback(visit.who, project, version, Publish())
    return go(path_of(project), "restored")


async def drafted(visit: Visit) -> tuple[tuple[Rule, ...], int]:
    """The rules of the draft, and which of them is meant. Raises InvalidRequest, Conflict."""
    draft = await visit.desk.rules.draft(visit.who, project_of(visit))
    index = visit.form.count("index")
    if index is None or index >= len(draft.value.rules):
        raise InvalidRequest("There is no such rule in the draft.", param="index")
    return draft.value.rules, index


async def keep(visit: Visit, rules: tuple[Rule, ...], done: str = "saved") -> web.Response:
    """Save *rules* as the draft, unless somebody else has since the page was made."""
    if len(rules) > RULES_MAX:
        raise InvalidRequest(f"A draft has at most {RULES_MAX} rules.")
    project = project_of(visit)
    value = RuleSet(rules=rules)
    await visit.desk.rules.save_draft(visit.who, project, value, visit.form.count("draft"))
    return go(path_of(project), done)


def swapped(rules: tuple[Rule, ...], one: int, other: int) -> tuple[Rule, ...]:
    """*rules* with two of them in each other's place."""
    changed = list(rules)
    changed[one], changed[other] = changed[other], changed[one]
    return tuple(changed)


def project_of(visit: Visit) -> str:
    """Whose rules these are."""
    return visit.tail or COMMON_RULES


def path_of(project: str) -> str:
    """The page of the rules of *project*."""
    return HERE if project == COMMON_RULES else f"{HERE}/{quote(project, safe='')}"
