"""The fleet as arrays, one row per deployment, with the health of one moment."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

import msgspec
import numpy as np
import numpy.typing as npt

from gateway.core.fleet import Deployment, Fleet, Price
from gateway.core.health import FRESH, Health
from gateway.decide.lack import Lack
from gateway.decide.priors import ERRORS_REPEL, ERRORS_REPEL_RETRY, LATENCY_S, REQUESTS_PRIOR
from gateway.wire.registry import DIALECTS
from kernels.cost import PRICE_COLUMNS
from kernels.limits import LIMIT_COLUMNS

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Number = TypeVar("Number", np.int64, np.float64, np.bool_)

UNTRANSLATED = ("openai_completions", "openai_embeddings")  # passed through, never rewritten


class Named(msgspec.Struct, frozen=True, eq=False):
    """What a name stands for: a model of the fleet, and the rows that serve it under that name."""

    model: str
    rows: Ints


class FleetRows(msgspec.Struct, frozen=True, eq=False):
    """
    What of a fleet does not change with its health. Row k is ``fleet.deployments[k]``; arrays are
    read-only. Units as in ``gateway.core.fleet``; columns of *prices* and *limits* as in kernels.
    """

    fleet: Fleet
    everyone: Ints  # 0, 1, ..., the rows themselves
    prices: Ints  # [n, PRICE_COLUMNS]
    limits: Ints  # [n, LIMIT_COLUMNS]
    tokens_out_max: Ints
    model: Ints  # index of the first row that serves the same model: orders models as the fleet
    weight: Floats
    latency_prior_s: Floats  # [2, n]: to the first token, per token after it
    names: dict[str, Named]  # in lower case
    models: tuple[Ints, ...]  # per row: all rows that serve the same model
    dialect_lacks: dict[str, Ints]  # of the client -> Lack.DIALECT where it cannot be served
    family_lacks: tuple[Ints, ...]  # per row -> Lack.FAMILY at every other family
    foreign_lacks: dict[str, Ints]  # dialect -> Lack.FAMILY where it is not spoken
    brought_lacks: Ints  # Lack.KEYLESS where only tenants have keys

    def find(self, name: str, provider: str | None = None) -> Named | None:
        """
        What *name* stands for, case ignored: a model, an alias, ``provider/model`` or the id of a
        deployment; of *provider* only, which may also call the model by its own name for it.
        """
        named = self.names.get(name.lower())
        if provider is None:
            return named
        pinned = self.names.get(f"{provider}/{name}".lower())
        if pinned is not None or named is None:
            return pinned
        here = [row for row in named.rows if self.fleet.deployments[row].provider == provider]
        return Named(model=named.model, rows=frozen(np.array(here, np.int64))) if here else None

    def close_names(self, name: str) -> tuple[str, ...]:
        """Up to three names that look like *name*, best first."""
        return tuple(difflib.get_close_matches(name.lower(), self.names, n=3, cutoff=0.5))

    def rows_of(self, names: Iterable[str]) -> Ints:
        """All rows that any of *names* stands for, in order; unknown names stand for none."""
        found = [named.rows for name in names if (named := self.find(name)) is not None]
        return frozen(np.unique(np.concatenate(found)) if found else np.empty(0, np.int64))


class FleetView(msgspec.Struct, frozen=True, eq=False):
    """
    Fleet and health of one moment, immutable. *version* is a hash of both: what a record names.
    """

    rows: FleetRows
    available: npt.NDArray[np.bool_]
    lacks: Ints  # Lack.UNAVAILABLE where it holds
    reliability: Floats  # 1 - share of errors, few requests trusted less
    share: Floats  # of the traffic among equals
    share_retry: Floats  # the same for a request that the client's SDK sends again
    ttft_s: Floats  # measured, else assumed for the class
    tpot_s: Floats
    version: str

    def with_health(self, health: Mapping[str, Health]) -> FleetView:
        """The same fleet at another moment; *health* by deployment id, absent ones are fresh."""
        return view_of(self.rows, health)


def fleet_view(fleet: Fleet, health: Mapping[str, Health]) -> FleetView:
    """Build the view of a fleet. Later ones come cheaper from ``FleetView.with_health``."""
    return view_of(fleet_rows(fleet), health)


def view_of(rows: FleetRows, health: Mapping[str, Health]) -> FleetView:
    """The view of *rows* with *health* by deployment id; absent ones are fresh."""
    reports = [health.get(d.id, FRESH) for d in rows.fleet.deployments]
    available = np.array([h.available for h in reports], np.bool_)
    requests = np.array([h.requests for h in reports], np.float64)
    errors = np.array([h.error_share for h in reports], np.float64)
    reliability = 1.0 - errors * requests / (requests + REQUESTS_PRIOR)
    ttft_s = measured([h.ttft_s_p50 for h in reports], rows.latency_prior_s[0])
    tpot_s = measured([h.tpot_s for h in reports], rows.latency_prior_s[1])
    digest = hashlib.blake2b(rows.fleet.version.encode(), digest_size=8)
    for part in (available, reliability, ttft_s, tpot_s):
        digest.update(part.tobytes())
    return FleetView(
        rows=rows,
        available=frozen(available),
        lacks=frozen(np.where(available, 0, np.int64(Lack.UNAVAILABLE))),
        reliability=frozen(reliability),
        share=frozen(rows.weight * reliability**ERRORS_REPEL),
        share_retry=frozen(rows.weight * reliability**ERRORS_REPEL_RETRY),
        ttft_s=frozen(ttft_s),
        tpot_s=frozen(tpot_s),
        version=digest.hexdigest(),
    )


def measured(values: list[float | None], prior: Floats) -> Floats:
    """*values*, with *prior* where there is none."""
    known = np.array(values, np.float64)  # None becomes NaN
    return np.where(np.isnan(known), prior, known)


def fleet_rows(fleet: Fleet) -> FleetRows:
    """Lay *fleet* out in arrays."""
    deployments = fleet.deployments
    served = rows_by([d.model for d in deployments])
    families = rows_by([family_of(fleet, d) for d in deployments])
    spoken = np.array([d.dialect for d in deployments], np.str_)
    limits = [(int(d.capabilities), d.context_tokens, d.output_tokens_max) for d in deployments]
    return FleetRows(
        fleet=fleet,
        everyone=frozen(np.arange(len(deployments), dtype=np.int64)),
        prices=table([price_row(d.price) for d in deployments], PRICE_COLUMNS),
        limits=table(limits, LIMIT_COLUMNS),
        tokens_out_max=frozen(np.array([d.output_tokens_max for d in deployments], np.int64)),
        model=frozen(np.array([same[0] for same in served], np.int64)),
        weight=frozen(np.array([d.weight for d in deployments], np.float64)),
        latency_prior_s=frozen(
            np.array(
                [[LATENCY_S[d.model_class][k] for d in deployments] for k in range(2)], np.float64
            )
        ),
        names=names_of(fleet),
        models=served,
        dialect_lacks={dialect: dialect_lacks(dialect, deployments) for dialect in DIALECTS},
        family_lacks=tuple(everywhere_but(family, len(deployments)) for family in families),
        brought_lacks=frozen(
            np.array([Lack.KEYLESS if d.brought else 0 for d in fleet.deployments], np.int64)
        ),
        foreign_lacks={
            dialect: everywhere_but(np.flatnonzero(spoken == dialect), len(deployments))
            for dialect in DIALECTS
        },
    )


def rows_by(keys: list[str]) -> tuple[Ints, ...]:
    """Per row, all rows with the same key, in order."""
    rows: dict[str, list[int]] = {}
    for row, key in enumerate(keys):
        rows.setdefault(key, []).append(row)
    arrays = {key: frozen(np.array(some, np.int64)) for key, some in rows.items()}
    return tuple(arrays[key] for key in keys)


def everywhere_but(some: Ints, rows: int) -> Ints:
    """int64[rows]: Lack.FAMILY except at *some*."""
    lacks = np.full(rows, int(Lack.FAMILY), np.int64)
    lacks[some] = 0
    return frozen(lacks)


def frozen(array: npt.NDArray[Number]) -> npt.NDArray[Number]:
    """*array*, which nobody writes to any more."""
    array.setflags(write=False)
    return array


def table(rows: Sequence[tuple[int, ...]], columns: int) -> Ints:
    """int64[n, columns], also of no rows."""
    return frozen(np.array(rows, np.int64).reshape(len(rows), columns))


def price_row(price: Price) -> tuple[int, ...]:
    """The columns of kernels.cost, in their order."""
    return (
        price.input,
        price.output,
        price.cache_read,
        price.long_context_tokens,
        price.long_input,
        price.long_output,
        price.long_cache_read,
        price.request_nano_usd,
    )


def family_of(fleet: Fleet, deployment: Deployment) -> str:
    """Inside which reasoning is portable; a model without a family is one of its own."""
    model = fleet.models.get(deployment.model)
    return (model.family if model is not None else "") or deployment.model


def dialect_lacks(dialect: str, deployments: tuple[Deployment, ...]) -> Ints:
    """
    Lack.DIALECT for every deployment that cannot serve a client of *dialect*: chat dialects are
    translated both ways, the others reach only deployments of their own family.
    """
    family = DIALECTS[dialect].family
    if dialect in UNTRANSLATED:
        served = [DIALECTS[d.dialect].family == family for d in deployments]
    else:
        served = [d.dialect not in UNTRANSLATED for d in deployments]
    return frozen(np.where(np.array(served, np.bool_), 0, np.int64(Lack.DIALECT)))


def names_of(fleet: Fleet) -> dict[str, Named]:
    """
    Every name in lower case. Where two claim the same, models come before aliases, aliases before
    ``provider/...`` names, and these before ids of deployments.
    """
    rows: dict[str, list[int]] = {}
    for row, deployment in enumerate(fleet.deployments):
        rows.setdefault(deployment.model, []).append(row)
    names: dict[str, Named] = {}

    def claim(name: str, model: str, served_by: list[int]) -> None:
        names.setdefault(
            name.lower(), Named(model=model, rows=frozen(np.array(served_by, np.int64)))
        )

    for model in rows:
        claim(model, model, rows[model])
    for model in rows:
        for alias in fleet.models[model].aliases if model in fleet.models else ():
            claim(alias, model, rows[model])
    for model, served_by in rows.items():
        at: dict[tuple[str, str], list[int]] = {}
        aliases = fleet.models[model].aliases if model in fleet.models else ()
        for row in served_by:
            deployment = fleet.deployments[row]
            for name in dict.fromkeys((model, *aliases, deployment.upstream_model)):
                at.setdefault((deployment.provider, name), []).append(row)
        for (provider, name), some in at.items():
            claim(f"{provider}/{name}", model, some)
    for row, deployment in enumerate(fleet.deployments):
        claim(deployment.id, deployment.model, [row])
    return names
