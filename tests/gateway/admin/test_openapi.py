"""The admin API against its own description."""

from __future__ import annotations

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings

from gateway.admin.openapi import description
from gateway.config.secrets import Secret
from tests.gateway.admin.offices import close, office_of, with_gateway
from tests.gateway.admin.served import running

STATED = Secret("a-key-of-the-configuration")


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    """Where the API listens."""
    folder = tmp_path_factory.mktemp("openapi")
    office = with_gateway(office_of(folder, stated=STATED, tries=10**9))
    with running(office) as address:
        yield address
    close(office)


# 400: it does not fit the description; 422: it does, and means nothing here.
CONFIG = schemathesis.Config.from_dict(
    {
        "generation": {"allow-x00": False},
        "checks": {
            "positive_data_acceptance": {
                "expected-statuses": ["2xx", "401", "403", "404", "409", "422"]
            },
            "negative_data_rejection": {
                "expected-statuses": ["400", "401", "403", "404", "413", "415"]
            },
        },
    }
)
schema = schemathesis.openapi.from_dict(description(), config=CONFIG)


@schema.parametrize()
@settings(
    max_examples=5,
    deadline=None,
    derandomize=True,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
def test_every_operation_does_what_it_says(case, url):
    """Whatever is sent, the answer is one of those described, and no fault of ours."""
    case.call_and_validate(base_url=url, headers={"Authorization": f"Bearer {STATED}"})
