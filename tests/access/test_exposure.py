"""Where the server may listen without sign-in."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from access.accounts import Accounts
from access.exposure import came_from_here, is_local, refusal, uvicorn_address
from access.roles import Role
from settings import ROOT
from tests.access.conftest import PASSWORD

HERE = ["127.0.0.1", "127.8.9.1", "::1", "[::1]", "[::1]:8501", "localhost", "localhost:80", "app.localhost:1",
        "127.0.0.1:8501", "::ffff:127.0.0.1"]  # fmt: skip
ELSEWHERE = ["0.0.0.0", "::", "192.168.0.1", "example.org", "localhost.example.org", "127.0.0.1.example.org", "", None,
             "uds:/run/rayon.sock", "fd:3", "[::1", "127.0.0.1@example.org", "::ffff:10.0.0.1", "0", "a:b"]  # fmt: skip


@pytest.mark.parametrize("host", HERE)
def test_here(host):
    assert is_local(host) and refusal(host, False, False) is None


@pytest.mark.parametrize("host", ELSEWHERE)
def test_elsewhere(host):
    assert not is_local(host)
    assert "RAYON_OPEN=1" in refusal(str(host), False, False)
    assert refusal(str(host), True, False) is None and refusal(str(host), False, True) is None


def test_a_request_from_here():
    assert came_from_here(("127.0.0.1", 8501), "localhost:8501")
    assert not came_from_here(("127.0.0.1", 8501), "example.org")  # a name made to point here
    assert not came_from_here(("192.168.0.2", 8501), "localhost:8501")
    assert not came_from_here(None, "localhost") and not came_from_here(("/run/socket", None), "localhost")


@pytest.mark.parametrize(
    ("arguments", "environment", "address"),
    [
        (["/bin/uvicorn", "server:app"], {}, "127.0.0.1"),
        (["/bin/uvicorn", "server:app", "--host", "0.0.0.0"], {}, "0.0.0.0"),
        (["/bin/uvicorn", "--host=::", "server:app"], {}, "::"),
        (["/lib/uvicorn/__main__.py", "server:app"], {"UVICORN_HOST": "10.0.0.1"}, "10.0.0.1"),
        (["uvicorn", "--host", "10.0.0.1", "--host", "127.0.0.1"], {}, "127.0.0.1"),
        (["uvicorn", "--uds", "/run/rayon.sock"], {}, "uds:/run/rayon.sock"),
        (["streamlit", "run", "server.py", "--host", "x"], {}, None),
        ([], {}, None),
    ],
)
def test_what_uvicorn_was_told(arguments, environment, address):
    assert uvicorn_address(arguments, environment) == address


COMMANDS = {
    "streamlit": ["streamlit", "run", "server.py", "--server.port", "0", "--server.address", "0.0.0.0"],
    "uvicorn": ["uvicorn", "server:app", "--port", "0", "--host", "0.0.0.0"],
}


def started(command: list[str], home: Path, **environment: str) -> subprocess.CompletedProcess:
    """What comes of starting a server that ends at once."""
    environment = os.environ | {"RAYON_HOME": str(home)} | environment
    command = [sys.executable, "-m", *command]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=40, check=False)


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_the_server_refuses_to_be_open_to_all_by_accident(tmp_path, command):
    done = started(command, tmp_path)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("Rayon does not serve 0.0.0.0 without sign-in")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"RAYON_DEFAULT_ROLE": "boss"}, "there is no role 'boss'"),
        ({"STREAMLIT_SECRETS_FILES": "{home}/secrets.toml"}, "secrets.toml cannot be read"),
    ],
)
def test_the_server_does_not_start_with_sign_in_out_of_order(tmp_path, environment, said):
    (tmp_path / "secrets.toml").write_text("[auth\n")
    filled = {name: value.format(home=tmp_path) for name, value in environment.items()}
    command = ["streamlit", "run", "server.py", "--server.port", "0"]
    done = started(command, tmp_path, **filled)
    assert done.returncode == 2 and said in done.stderr and "Traceback" not in done.stderr


def test_the_server_does_not_start_with_accounts_that_cannot_be_read(tmp_path):
    Accounts(tmp_path / "accounts.json").add("Anna", PASSWORD, Role.ANALYST)
    (tmp_path / "accounts.json").write_text("{}")
    done = started(COMMANDS["streamlit"], tmp_path)
    assert done.returncode == 2 and "not a file of accounts" in done.stderr
