"""Rules at the desk: drafted, tried, published and rolled back."""

from __future__ import annotations

import pytest

from gateway.admin.rules import Publish, RulesTest
from gateway.config.schema import Condition, Project, Rule, Target
from gateway.core.errors import Conflict, InvalidRequest, NotFound
from gateway.state.facts import RuleSet, TenantProject
from tests.gateway.admin.offices import OPERATOR, VIEWER
from tests.gateway.admin.traffic import COUNT, record_traffic

EASY = Rule(id="easy", when=Condition(tiers=("low",)), then=Target(model="gpt-4o-mini"), reason="r")
DRAFT = RuleSet(rules=(EASY,), note="cheaper")


async def test_a_draft_is_published_and_rolled_back(desk):
    """Each version is kept with who published it and why; going back is a version too."""
    saved = await desk.rules.save_draft(OPERATOR, "*", DRAFT, 0)
    first = await desk.rules.publish(OPERATOR, "*", Publish(), saved.version)
    assert desk.office.completed().config.rules == (EASY,)
    await desk.rules.save_draft(OPERATOR, "*", RuleSet(), 0)
    second = await desk.rules.publish(OPERATOR, "*", Publish(note="none"))
    back = await desk.rules.rollback(OPERATOR, "*", first.version, Publish(), second.version)
    versions = await desk.rules.versions(VIEWER, "*")

    assert (await desk.rules.live(VIEWER, "*")).value.rules == back.value.rules == (EASY,)
    assert [one.version for one in versions] == [back.version, second.version, first.version]
    assert [one.note for one in versions] == [f"as version {first.version}", "none", "cheaper"]
    assert {one.actor for one in versions} == {"olga"}
    assert versions[1].rules == ()


async def test_a_draft_changes_nothing(desk):
    """It is shown with what is wrong with it, and routes nothing."""
    wrong = RuleSet(rules=(EASY, EASY, Rule(id="x", then=Target(model="gpt-4o", mode="eco"))))
    saved = await desk.rules.save_draft(OPERATOR, "*", wrong)
    shown = await desk.rules.draft(VIEWER, "*")

    assert shown == saved
    assert saved.value.blocking
    assert [found.path for found in saved.value.problems] == ["$.rules[1].id", "$.rules[2].then"]
    assert desk.office.completed().config.rules == ()
    with pytest.raises(InvalidRequest) as refused:
        await desk.rules.publish(OPERATOR, "*", Publish())
    assert refused.value.param == "$.rules[1].id"
    await desk.rules.discard_draft(OPERATOR, "*", saved.version)
    with pytest.raises(NotFound, match="no draft"):
        await desk.rules.publish(OPERATOR, "*", Publish())


async def test_without_a_draft_one_begins_with_what_is_live(desk):
    """An editor that opens the rules of a project changes these, and not nothing."""
    await desk.rules.save_draft(OPERATOR, "*", DRAFT)
    await desk.rules.publish(OPERATOR, "*", Publish())
    shown = await desk.rules.draft(VIEWER, "*")

    assert (shown.version, shown.value.rules, shown.value.blocking) == (0, (EASY,), False)


async def test_two_editors(desk):
    """The second one to save or to publish is told of the first."""
    await desk.rules.save_draft(OPERATOR, "*", DRAFT, 0)
    with pytest.raises(Conflict):
        await desk.rules.save_draft(OPERATOR, "*", RuleSet(), 0)
    with pytest.raises(Conflict):
        await desk.rules.publish(OPERATOR, "*", Publish(), 99)


async def test_what_a_draft_would_change(desk):
    """Every easy prompt of the records would go to the rule's model; nothing is written."""
    record_traffic(desk.office)
    await desk.rules.save_draft(OPERATOR, "*", DRAFT)
    version = desk.office.fact_store.version()
    tried = await desk.rules.test(OPERATOR, "*", RulesTest())
    given = await desk.rules.test(OPERATOR, "*", RulesTest(rules=(), limit=10))

    assert tried.report.records == COUNT
    assert tried.report.by_rule["easy"].records == COUNT // 2
    assert tried.summary.startswith(f"would have changed {tried.report.changed} of {COUNT}")
    assert (given.report.records, given.report.changed) == (10, 0)
    assert desk.office.fact_store.version() == version


async def test_published_rules_are_what_a_draft_is_held_against(desk):
    """A draft that is already in force changes nothing."""
    record_traffic(desk.office)
    await desk.rules.save_draft(OPERATOR, "*", DRAFT)
    await desk.rules.publish(OPERATOR, "*", Publish())
    again = await desk.rules.test(OPERATOR, "*", RulesTest(rules=(EASY,)))
    without = await desk.rules.test(OPERATOR, "*", RulesTest(rules=()))

    assert again.report.changed == 0
    assert without.report.changed > 0


async def test_rules_of_a_project(desk):
    """They stand before those that its settings bring, whose ids they cannot take."""
    behind = Rule(id="behind", then=Target(mode="eco"))
    settings = Project(rules=(behind,))
    await desk.projects.create(OPERATOR, "site", TenantProject(settings=settings))
    taken = await desk.rules.save_draft(OPERATOR, "site", RuleSet(rules=(behind,)))
    assert taken.value.blocking
    await desk.rules.save_draft(OPERATOR, "site", DRAFT)
    await desk.rules.publish(OPERATOR, "site", Publish())
    listed = {one.project: one for one in await desk.rules.projects(VIEWER)}

    assert desk.office.completed().config.projects["site"].rules == (EASY, behind)
    assert list(listed) == ["*", "configured", "default", "site"]
    assert (listed["site"].published, listed["site"].in_file, listed["site"].drafted) == (
        1,
        1,
        None,
    )
    await desk.projects.delete(OPERATOR, "site")
    with pytest.raises(NotFound):
        await desk.rules.live(VIEWER, "site")


async def test_the_template_is_a_draft_like_any_other(desk):
    """It can be saved; what nobody here serves is said of it."""
    template = (await desk.rules.templates(VIEWER))[0]
    saved = await desk.rules.save_draft(OPERATOR, "*", RuleSet(rules=template.rules))

    assert len(template.rules) == 5
    assert any("groq" in found.message for found in saved.value.problems)


async def test_no_such_version(desk):
    """What was never published cannot be published again."""
    with pytest.raises(NotFound):
        await desk.rules.rollback(OPERATOR, "*", 7, Publish())
    with pytest.raises(NotFound):
        await desk.rules.save_draft(OPERATOR, "nothing", DRAFT)
