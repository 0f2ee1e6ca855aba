"""A server to ask: the one at RAYON_URL with the token in RAYON_TOKEN_FILE, else one that is started here.

RAYON_CA_FILE names the certificates to believe, where its https is vouched for by none that everybody knows.

The container of the tests holds this folder alone: what is needed of the repository is imported where it is used.
"""

import os
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

SECONDS = 120


@dataclass(frozen=True)
class Deployed:
    """Where the server is, and a token for it."""

    url: str
    token: str


@pytest.fixture(scope="session")
def deployed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """A server that asks for sign-in."""
    if url := os.environ.get("RAYON_URL"):
        yield Deployed(url.rstrip("/"), Path(os.environ["RAYON_TOKEN_FILE"]).read_text().strip())
        return
    from tests.serving import served

    home = tmp_path_factory.mktemp("deployed")
    (home / "exports").symlink_to(request.getfixturevalue("exports") / "exports")  # made once for all tests
    token = _command(home, "api", "token", "add", "tests", "--scope", "classify", "--scope", "jobs")
    _command(home, "access", "add", "Ana", "--role", "administrator", "--password-stdin", given="correct horse battery")
    with served(home) as url:
        yield Deployed(url, token)


@pytest.fixture(scope="session")
def stranger(deployed: Deployed) -> Iterator[httpx.Client]:
    """A client without a token, once the server is ready."""
    with httpx.Client(base_url=deployed.url, timeout=SECONDS, trust_env=False, verify=_trusted()) as client:
        deadline = time.monotonic() + SECONDS
        while client.get("/api/v1/health/ready").status_code != 200:
            assert time.monotonic() < deadline, "the server does not get ready"
            time.sleep(0.2)
        yield client


@pytest.fixture(scope="session")
def client(deployed: Deployed, stranger: httpx.Client) -> Iterator[httpx.Client]:
    """A client with the token."""
    headers = {"Authorization": f"Bearer {deployed.token}"}
    with httpx.Client(
        base_url=deployed.url, headers=headers, timeout=SECONDS, trust_env=False, verify=_trusted()
    ) as client:
        yield client


def _trusted() -> ssl.SSLContext | bool:
    ca = os.environ.get("RAYON_CA_FILE")
    return ssl.create_default_context(cafile=ca) if ca else True


def _command(home: Path, *arguments: str, given: str = "") -> str:
    from settings import ROOT

    done = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=ROOT, env=os.environ | {"RAYON_HOME": str(home)}, input=given, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout.strip()
