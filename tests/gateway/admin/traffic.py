"""Recorded traffic in the database of an office."""

from __future__ import annotations

from gateway.admin.office import Office
from gateway.core.request import Principal, RouteAction
from gateway.decide.decide import decide
from gateway.decide.fleet_view import fleet_view
from gateway.decide.policy import compile_policies
from gateway.record.record import Feedback, View
from gateway.record.rows import Batch, feedback_row, record_row, view_row
from tests.gateway.decide.samples import question, scores, signals
from tests.gateway.record.records import make_record

COUNT = 40


def record_traffic(office: Office, count: int = COUNT) -> None:
    """*count* chats of the last seconds, decided without rules, every second one of them easy."""
    settings, now_s = office.settings(), office.clock.wall()
    policies = compile_policies(settings.config, settings.fleet)
    view = fleet_view(settings.fleet, {})
    records = []
    for number in range(count):
        asked = question(action=RouteAction.CUSTOM, seed=number)
        scored = scores("Open QA", "low" if number % 2 else "high")
        decision = decide(asked, signals(), scored, policies.default, view)
        records.append(
            make_record(
                number,
                wall_s=now_s - count + number,
                principal=Principal(key_id=f"k{number % 2}"),
                question=asked,
                scores=scored,
                decision=decision,
                model=decision.model,
            )
        )
    said = Feedback(request_id="req_0", score=1.0, wall_s=now_s - 1, key_id="k0")
    office.records.prepare()
    office.records.write(
        Batch(
            records=[record_row(one) for one in records],
            views=[view_row(View(view.version, {}), now_s)],
            feedback=[feedback_row(said)],
        )
    )
