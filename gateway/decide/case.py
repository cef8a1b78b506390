"""Everything that is known of one request when its deployments are compared."""

from __future__ import annotations

import msgspec
import numpy as np

from gateway.config.schema import Floors, Mode
from gateway.core.question import Question
from gateway.core.signals import Signals
from gateway.decide.ask import Ask, read_ask
from gateway.decide.eligible import Limits, add_limits, limits_of, standing_lacks
from gateway.decide.estimate import Estimates, baseline_cost_nano_usd, estimate
from gateway.decide.fleet_view import FleetView, Ints
from gateway.decide.lack import ANY
from gateway.decide.policy import UNLIMITED_NANO_USD, RoutingPolicy
from kernels.rank import rank_by_utility
from models.scores import Scores

RANKING_MAX = 8  # deployments of a failover list: twice the attempts that are made by default
# Differences of utility below half a point of quality, or a quarter of a second in sport, are
# noise: the cheaper one wins, and among equals the draw that balances load.
GRAIN = 0.005

NO_FLOORS = Floors(low=0.0, medium=0.0, high=0.0)
CHEAPEST = Mode(floors=NO_FLOORS, usd_weight=1.0, may_cost_more=True, keep_high=False)
# Money only breaks ties: a dollar is worth a tenth of a point.
BEST = Mode(
    floors=NO_FLOORS, quality_weight=1.0, usd_weight=0.001, may_cost_more=True, keep_high=False
)


class Original(msgspec.Struct, frozen=True):
    """
    What costs are compared with: the client's own model, or the baseline where it named none;
    that one is at no *provider*.
    """

    model: str
    provider: str | None
    cost_nano_usd: int


class Case(msgspec.Struct, frozen=True, eq=False):
    """
    One request, read and estimated. *lacks* holds the bits of ``Lack`` of every row. *own* ranks
    the deployments of the client's own model that may serve it; *original* is the first of them, or
    the baseline where the client named no model, None where nobody knows what that costs.
    """

    question: Question
    signals: Signals
    scores: Scores
    policy: RoutingPolicy
    view: FleetView
    ask: Ask
    estimates: Estimates
    limits: Limits
    lacks: Ints
    own: tuple[int, ...] = ()
    original: Original | None = None

    def model(self, row: int) -> str:
        """Our name of the model that *row* serves."""
        return self.view.rows.fleet.deployments[row].model

    def cost(self, row: int) -> int:
        """Expected cost at *row*, nano-USD."""
        return int(self.estimates.cost_nano_usd[row])

    def cost_most(self, row: int) -> int:
        """Cost of a long answer at *row*, nano-USD: what limits are held against."""
        return int(self.estimates.cost_most_nano_usd[row])

    def quality(self, row: int) -> float:
        """Expected quality at *row*, 0 to 1."""
        return float(self.estimates.quality[row])


def read_case(
    question: Question, signals: Signals, scores: Scores, policy: RoutingPolicy, view: FleetView
) -> Case:
    """
    Resolve, estimate, and mark what every deployment lacks.

    Raises:
        ModelNotFound: the client named a model that is not here.
        InvalidRequest: see ``read_ask``.
    """
    if policy.fleet_version != view.rows.fleet.version:
        raise ValueError(
            f"Policy for fleet {policy.fleet_version}, view of {view.rows.fleet.version}."
            " This is a bug."
        )
    ask = read_ask(question, signals, scores, policy, view.rows)
    estimates = estimate(question.kind, ask, signals, policy, view)
    limits = limits_of(question, signals, policy)
    lacks = standing_lacks(question, signals, ask, policy, view)
    add_limits(lacks, limits, estimates, view)
    case = Case(
        question=question,
        signals=signals,
        scores=scores,
        policy=policy,
        view=view,
        ask=ask,
        estimates=estimates,
        limits=limits,
        lacks=lacks,
        original=baseline_of(signals, estimates, policy) if ask.own is None else None,
    )
    if ask.own is None:
        return case
    own = tuple(ranked(case, ask.own.rows, ask.mode))
    row = own[0] if own else int(ask.own.rows[0])
    deployment = view.rows.fleet.deployments[row]
    original = Original(
        model=deployment.model, provider=deployment.provider, cost_nano_usd=case.cost(row)
    )
    return msgspec.structs.replace(case, own=own, original=original)


def baseline_of(signals: Signals, estimates: Estimates, policy: RoutingPolicy) -> Original | None:
    """The policy's baseline, for a request that named no model."""
    baseline = policy.baseline
    if baseline is None:
        return None
    cost_nano_usd = baseline_cost_nano_usd(baseline, signals, estimates.tokens_out)
    return Original(model=baseline.model, provider=None, cost_nano_usd=cost_nano_usd)


def ranked(
    case: Case,
    rows: Ints,
    goal: Mode,
    *,
    floor: float = 0.0,
    cap_nano_usd: int = UNLIMITED_NANO_USD,
    forbidden: int = ANY,
) -> list[int]:
    """
    The best of *rows* by the weights of *goal*, best first, at most RANKING_MAX.

    Only rows that promise *floor*, cost at most *cap_nano_usd* and lack none of *forbidden*.
    """
    view, estimates = case.view, case.estimates
    ranking = np.empty(RANKING_MAX, np.int64)
    count = rank_by_utility(
        rows,
        estimates.quality,
        estimates.cost_nano_usd,
        estimates.latency_s,
        case.lacks,
        view.rows.model,
        view.share_retry if case.question.client_retry else view.share,
        goal.quality_weight,
        goal.usd_weight,
        goal.s_weight,
        forbidden,
        floor,
        cap_nano_usd,
        GRAIN,
        case.question.seed,
        ranking,
    )
    found: list[int] = ranking[:count].tolist()
    return found
