"""The interface asked whatever its description admits, and more: no 500, and no answer that it does not describe."""

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

import api.jobs
from api.application import BesidePages, application
from api.rate import RateLimiter
from batch.jobs import Job
from tests.api.conftest import pages
from tests.api.samples import LAMP, png

EXAMPLES = 40
CHECKS = [
    not_a_server_error,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
]


# Bytes that are nothing, and files as they come.
files = st.binary(max_size=200) | st.sampled_from([f"designation\n{LAMP}\n".encode(), b"a;b\n1;2;3\n", png(), b""])
schemathesis.openapi.format("binary", files)
app = application()
app.state.guard.limiter = RateLimiter(0)
schema = schemathesis.openapi.from_asgi("/api/v1/openapi.json", BesidePages(pages, app))


@pytest.fixture(autouse=True)
def _planned_alone(loaded, monkeypatch):
    """Jobs are planned, and none is set to work."""
    monkeypatch.setattr(Job, "start", lambda self: None)
    monkeypatch.setattr(api.jobs, "MOST_JOBS", 10_000)
    monkeypatch.setattr(api.jobs, "MOST_WAITING", 10_000)


@pytest.fixture
def token(tokens) -> str:
    return tokens.add("fuzz", ["classify", "jobs"])


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much],
)
def test_every_answer_is_one_that_is_described(case, token):
    headers = {"Authorization": f"Bearer {token}"}
    response = case.call(headers=headers)
    case.validate_response(response, checks=CHECKS, headers=headers)
