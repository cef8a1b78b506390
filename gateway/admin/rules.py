"""Rules of projects: drafted, tried on what was recorded, published, and rolled back."""

from __future__ import annotations

import asyncio
from typing import Annotated

import msgspec
from msgspec import Meta

from gateway.admin.checks import DEFAULT, leans_on
from gateway.admin.drawer import Drawer, Item, wrong
from gateway.admin.office import Office
from gateway.admin.roles import Operator, needs
from gateway.config.check_rules import rule_problems
from gateway.config.known import known_names
from gateway.config.problem import Problem, unknown
from gateway.config.schema import Policy, Project, Rule
from gateway.config.section import Positive, Section
from gateway.config.settings import Settings
from gateway.core.errors import Conflict, NotFound
from gateway.decide.policy import NOTHING_LEARNT
from gateway.learn.backtest import Backtest
from gateway.learn.drafts import backtest_rules, draft_problems
from gateway.learn.promises import promises
from gateway.learn.shipped import Template, templates
from gateway.state.effective import effective
from gateway.state.fact_store import AuditEntry, Ref, Write
from gateway.state.facts import COMMON_RULES, Facts, RuleSet, TenantProject, Title

DRAFT = "draft"
VERSIONS_MAX = 200
RECORDS_MAX = 10_000  # of one test: some seconds of a thread


class DraftView(msgspec.Struct, frozen=True):
    """A draft, and what is wrong with it. *blocking*: it cannot be published like this."""

    rules: tuple[Rule, ...]
    note: str
    problems: list[Problem]
    blocking: bool


class RulesOf(msgspec.Struct, frozen=True):
    """How many rules a project has here, and in its settings or the file behind them."""

    project: str
    published: int
    drafted: int | None  # None: there is no draft
    in_file: int


class RulesTest(Section, frozen=True):
    """
    What to try on the newest *limit* records of the last *hours*; *rules* None: those of the draft.
    """

    rules: tuple[Rule, ...] | None = None
    limit: Annotated[int, Meta(ge=1, le=RECORDS_MAX)] = 500
    hours: Annotated[Positive, Meta(le=24 * 366)] = 24.0 * 30


class Tested(msgspec.Struct, frozen=True):
    """What rules would have changed, in one line and in full."""

    summary: str
    problems: list[Problem]
    report: Backtest


class Version(msgspec.Struct, frozen=True):
    """Rules as they were published; *rules* None where they were withdrawn."""

    version: int
    wall_s: float
    actor: str
    action: str
    note: str
    rules: tuple[Rule, ...] | None


class Publish(Section, frozen=True):
    """Why a draft is published, or an earlier version taken back."""

    note: Title = ""


class Rules(Drawer[RuleSet, RuleSet]):
    """Rules by project; those of ``*`` hold for all."""

    kind, noun = "rules", "published rules of the project"

    def __init__(self, office: Office) -> None:
        super().__init__(office)
        self._testing = asyncio.Lock()  # one at a time: a test keeps a core busy

    def view(self, id_: str, fact: RuleSet) -> RuleSet:
        """Nothing of rules is secret."""
        return fact

    @needs("viewer")
    async def projects(self, who: Operator) -> list[RulesOf]:
        """Every project that can have rules, ``*`` first."""
        return [self._rules_of(name) for name in self._names()]

    @needs("viewer")
    async def templates(self, who: Operator) -> list[Template]:
        """Sets of rules to start from."""
        return list(templates())

    @needs("viewer")
    async def live(self, who: Operator, project: str) -> Item[RuleSet]:
        """The published rules; version 0 and none where there never were any. Raises NotFound."""
        return await self._current(self.kind, project)

    @needs("viewer")
    async def draft(self, who: Operator, project: str) -> Item[DraftView]:
        """The draft; version 0 and the published rules where there is none. Raises NotFound."""
        found = await self._current(DRAFT, project)
        if not found.version:
            found = msgspec.structs.replace(
                found, value=(await self._current(self.kind, project)).value
            )
        return await self._shown(found)

    @needs("operator")
    async def save_draft(
        self, who: Operator, project: str, value: RuleSet, expected: int | None = None
    ) -> Item[DraftView]:
        """Keep a draft, also one that is not right yet. Raises Conflict, NotFound, Unavailable."""
        self._known(project)
        write, refs = Write(DRAFT, project, value, expected), self._leans_on(project)
        version = await self._write(who, "save draft", write, leans_on=refs)
        return await self._shown(Item(project, version, value))

    @needs("operator")
    async def discard_draft(self, who: Operator, project: str, expected: int | None = None) -> None:
        """Forget the draft. Raises Conflict, NotFound, Unavailable."""
        self._known(project)
        await self._write(who, "discard draft", Write(DRAFT, project, None, expected))

    @needs("operator")
    async def test(self, who: Operator, project: str, value: RulesTest) -> Tested:
        """Try rules on recent records; nothing changes. Raises NotFound, Unavailable."""
        rules = value.rules
        if rules is None:
            rules = (await self.draft(who, project)).value.rules
        self._known(project)
        async with self._testing:
            return await asyncio.to_thread(self._test, project, rules, value)

    @needs("operator")
    async def publish(
        self, who: Operator, project: str, value: Publish, expected: int | None = None
    ) -> Item[RuleSet]:
        """
        Route by the draft from now on; *expected* is its version.

        Raises:
            InvalidRequest: a rule means nothing, or contradicts itself.
            Conflict, NotFound, Unavailable.
        """
        found = await self._current(DRAFT, project)
        if not found.version:
            raise NotFound(f"There is no draft of the project '{project}'.")
        if expected is not None and expected != found.version:
            raise Conflict(f"The draft is at version {found.version}, not {expected}.")
        fact = RuleSet(rules=found.value.rules, note=value.note or found.value.note)
        await self._check(project, fact.rules)
        before = await self._current(self.kind, project)
        version = await self._write(
            who,
            "publish",
            Write(self.kind, project, fact, before.version),
            Write(DRAFT, project, None, found.version),
            leans_on=self._leans_on(project),
        )
        return Item(project, version, fact)

    @needs("viewer")
    async def versions(self, who: Operator, project: str) -> list[Version]:
        """What was published, newest first, at most VERSIONS_MAX. Raises NotFound, Unavailable."""
        self._known(project)
        entries = await asyncio.to_thread(
            self._office.fact_store.history, self.kind, project, limit=VERSIONS_MAX
        )
        return [version_of(entry) for entry in entries]

    @needs("operator")
    async def rollback(
        self,
        who: Operator,
        project: str,
        version: int,
        value: Publish,
        expected: int | None = None,
    ) -> Item[RuleSet]:
        """Publish again what was published as *version*. Raises as ``publish``."""
        found = next(
            (one for one in await self.versions(who, project) if one.version == version), None
        )
        if found is None:
            raise NotFound(f"No rules of '{project}' were published as version {version}.")
        note = value.note or f"as version {version}"
        fact = RuleSet(rules=found.rules or (), note=note)
        await self._check(project, fact.rules)
        before = await self._current(self.kind, project)
        seen = before.version if expected is None else expected
        write, refs = Write(self.kind, project, fact, seen), self._leans_on(project)
        written = await self._write(who, "roll back", write, leans_on=refs)
        return Item(project, written, fact)

    async def _current(self, kind: str, project: str) -> Item[RuleSet]:
        self._known(project)
        change = await asyncio.to_thread(self._office.fact_store.find, kind, project)
        if change is None or change.payload is None:
            return Item(project, 0, RuleSet())
        return Item(project, change.version, msgspec.json.decode(change.payload, type=RuleSet))

    async def _shown(self, item: Item[RuleSet]) -> Item[DraftView]:
        rules = item.value.rules
        hard, problems = await asyncio.to_thread(self._problems, item.id, rules)
        return Item(item.id, item.version, DraftView(rules, item.value.note, problems, bool(hard)))

    async def _check(self, project: str, rules: tuple[Rule, ...]) -> None:
        hard, _ = await asyncio.to_thread(self._problems, project, rules)
        if hard:
            told = "; ".join(f"{found.path}: {found.message}" for found in hard)
            raise wrong(hard[0].path, told)

    def _problems(
        self, project: str, rules: tuple[Rule, ...]
    ) -> tuple[list[Problem], list[Problem]]:
        """What keeps *rules* from being published, and all that is to be said of them."""
        settings, behind = self._without(project)
        config = settings.config
        common = project == COMMON_RULES
        policy = Policy() if common else config.projects.get(project, Project()).policy
        hard = list(rule_problems(rules, "$.rules", config, known_names(config), policy))
        taken = {rule.id for rule in behind}
        for index, rule in enumerate(rules):
            if rule.id in taken:
                message = f"'{rule.id}' is the id of a rule of the configuration too"
                hard.append(Problem(f"$.rules[{index}].id", message))
        told = {found.path for found in hard}
        every = draft_problems(settings, None if common else project, rules)
        return hard, [*hard, *(found for found in every if found.path not in told)]

    def _test(self, project: str, rules: tuple[Rule, ...], value: RulesTest) -> Tested:
        office = self._office
        _, behind = self._without(project)
        settings, now_s = office.completed(), office.clock.wall()
        learnt = NOTHING_LEARNT
        if office.matrix is not None:
            learnt = promises(office.matrix(), settings.config.routing, settings.fleet)
        report = backtest_rules(
            office.records,
            settings,
            (*rules, *behind),
            project=None if project == COMMON_RULES else project,
            since_s=now_s - value.hours * 3600,
            until_s=now_s,
            limit=value.limit,
            learnt=learnt,
        )
        return Tested(report.summary(), self._problems(project, rules)[1], report)

    def _without(self, project: str) -> tuple[Settings, tuple[Rule, ...]]:
        """The settings as if nothing was published for *project*, and its rules then."""
        facts, settings = self._office.replica.facts, self._office.settings()
        others = {name: one for name, one in facts.of(self.kind).items() if name != project}
        bare = Facts(facts.version, {**facts.by_kind, self.kind: others})
        config = effective(settings.config, bare)
        return msgspec.structs.replace(settings, config=config), self.behind(project)

    def behind(self, project: str) -> tuple[Rule, ...]:
        """The rules of the file, or of the project's settings, that published ones stand before."""
        config = self._office.settings().config
        if project == COMMON_RULES:
            return config.rules
        stored = self._office.replica.facts.of("project").get(project)
        if project not in config.projects and isinstance(stored, TenantProject):
            return stored.settings.rules
        return config.projects.get(project, Project()).rules

    def _names(self) -> list[str]:
        config, facts = self._office.settings().config, self._office.replica.facts
        return [COMMON_RULES, *sorted({DEFAULT, *config.projects, *facts.of("project")})]

    def _known(self, project: str) -> None:
        """Raises NotFound where there is no such *project*."""
        names = self._names()
        if project not in names:
            raise NotFound(f"{unknown('project', project[:80], names)}.")

    def _leans_on(self, project: str) -> list[Ref]:
        return leans_on(self._office, project="" if project == COMMON_RULES else project)

    def _rules_of(self, project: str) -> RulesOf:
        drafted = self._office.replica.facts.of(DRAFT).get(project)
        published = self._held().get(project)
        return RulesOf(
            project=project,
            published=0 if published is None else len(published.rules),
            drafted=len(drafted.rules) if isinstance(drafted, RuleSet) else None,
            in_file=len(self.behind(project)),
        )


def version_of(entry: AuditEntry) -> Version:
    """A line of the audit log as a version."""
    fact = None if entry.after is None else msgspec.json.decode(entry.after, type=RuleSet)
    return Version(
        version=entry.version,
        wall_s=entry.wall_s,
        actor=entry.actor,
        action=entry.action,
        note="" if fact is None else fact.note,
        rules=None if fact is None else fact.rules,
    )
