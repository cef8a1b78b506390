"""Content policies beside those of the configuration."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import msgspec

from gateway.admin.checks import check_name, leans_on, tenant_problems
from gateway.admin.drawer import Drawer, Item, refuse
from gateway.admin.roles import Operator, needs
from gateway.scan.likeness import embed
from gateway.scan.policies import compile_content_policies
from gateway.state.effective import effective
from gateway.state.fact_store import Write
from gateway.state.facts import Change, PolicyFact


class ContentPolicies(Drawer[PolicyFact, PolicyFact]):
    """What prompts may not ask for."""

    kind, noun = "content_policy", "content policy"

    def view(self, id_: str, fact: PolicyFact) -> PolicyFact:
        """Nothing of a policy is secret."""
        return fact

    @needs("operator")
    async def create(self, who: Operator, id_: str, value: PolicyFact) -> Item[PolicyFact]:
        """Make one. Raises Conflict, InvalidRequest, Unavailable."""
        check_name(id_, self.noun)
        await asyncio.to_thread(self._check, id_, value)
        refs = leans_on(self._office, value.tenant)
        version = await self._write(who, "create", Write(self.kind, id_, value, 0), leans_on=refs)
        return Item(id_, version, value)

    @needs("operator")
    async def update(
        self, who: Operator, id_: str, value: PolicyFact, expected: int | None = None
    ) -> Item[PolicyFact]:
        """Replace one. Raises Conflict, InvalidRequest, NotFound, Unavailable."""
        await asyncio.to_thread(self._check, id_, value)
        refs = leans_on(self._office, value.tenant)
        return await self._change(who, id_, expected, lambda fact: value, "update", leans_on=refs)

    @needs("operator")
    async def delete(self, who: Operator, id_: str, expected: int | None = None) -> None:
        """Delete one. Raises Conflict, NotFound, Unavailable."""
        await self._write(who, "delete", Write(self.kind, id_, None, expected))

    def _check(self, id_: str, value: PolicyFact) -> None:
        refuse(self._problems(id_, value))

    def _problems(self, id_: str, value: PolicyFact) -> Iterator[tuple[str, str]]:
        if value.tenant:
            yield from tenant_problems(self._office, value.tenant)
        configured = self._office.settings().config.scan.policies
        others = [one.name for one in configured]
        others += [fact.policy.name for name, fact in self._held().items() if name != id_]
        if value.policy.name in others:
            yield "$.policy.name", "another content policy has this name"
        change = Change(self.kind, id_, 0, msgspec.json.encode(value))
        facts = self._office.replica.facts.after([change])
        together = effective(self._office.settings().config, facts).scan.policies
        try:
            compile_content_policies(together, embed)  # as all of them will have to be
        except ValueError as error:
            yield "$.policy", str(error)
