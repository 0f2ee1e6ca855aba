"""What the repository holds, and that its documents, its Makefile and its Dockerfile agree."""

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from model.taxonomy import default_taxonomy
from settings import ROOT
from tests.repository import read, repository_files

CODES = {
    10, 40, 50, 60, 1140, 1160, 1180, 1280, 1281, 1300, 1301, 1302, 1320, 1560,
    1920, 1940, 2060, 2220, 2280, 2403, 2462, 2522, 2582, 2583, 2585, 2705, 2905,
}  # fmt: skip
# The names under which the challenge hands out its data, which may not be passed on.
CHALLENGE = re.compile(r"^([xy]_(train|test)|.*cvw08px|image_\d+_product_\d+|image_(train|test)$|images\.zip)", re.I)
OPEN_BUNDLE = ROOT / "model" / "bundles" / "open"


def makefile_targets() -> set[str]:
    return set(re.findall(r"^([a-z][a-z-]*):", read("Makefile"), re.M))


def test_the_taxonomy_has_the_27_codes():
    assert set(default_taxonomy().codes) == CODES
    assert len(CODES) == 27


def test_the_open_bundle_is_small_and_lists_its_files():
    manifest = json.loads((OPEN_BUNDLE / "manifest.json").read_text(encoding="utf-8"))
    assert sum(file.stat().st_size for file in OPEN_BUNDLE.iterdir()) <= 60e6
    assert set(manifest["files"]) == {file.name for file in OPEN_BUNDLE.iterdir()} - {"manifest.json"}


def test_no_file_of_the_challenge():
    assert not [path for path in repository_files() if any(CHALLENGE.match(part) for part in path.parts)]


@pytest.mark.parametrize("name", ["X_train_update.csv", "Y_train_CVw08PX.csv", "image_12_product_34.jpg", "image_test"])
def test_the_challenges_names_are_recognised(name):
    assert CHALLENGE.match(name)


# --- the documents, the Makefile and the Dockerfile agree ---------------------------------------------------


def documented_targets(name: str) -> set[str]:
    """Targets of the `make …` commands in a document's code, inline or in blocks."""
    text = read(name)
    code = re.findall(r"```.*?```", text, re.S) + re.findall(r"`[^`\n]+`", re.sub(r"```.*?```", "", text, flags=re.S))
    return {target for snippet in code for target in re.findall(r"\bmake ([a-z][a-z-]*)", snippet)}


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_documented_commands_exist(name):
    targets = documented_targets(name)
    assert targets, f"{name} names no command"
    assert targets <= makefile_targets()


def test_every_command_is_documented():
    assert makefile_targets() <= documented_targets("README.md") | documented_targets("CONTRIBUTING.md")


def test_make_help_lists_every_target():
    listed = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert set(re.findall(r"^  make ([a-z-]+)", listed, re.M)) == makefile_targets()


def test_the_dockerfile_passes_hadolint():
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([hadolint, "Dockerfile"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_dockerfile_copies_what_runs_and_nothing_else():
    copied = {
        word for line in re.findall(r"^COPY (?!--from)(.+)$", read("Dockerfile"), re.M) for word in line.split()[:-1]
    } - {"requirements.txt"}
    runs = {path.parts[0] for path in repository_files() if path.suffix == ".py"} - {"tests", "benchmarks"}
    assert copied == runs | {".streamlit"}
    admitted = {line[1:].split("/")[0] for line in read(".dockerignore").split() if line.startswith("!")}
    assert admitted == copied | {"requirements.txt"}


def test_the_health_check_fails_when_the_page_fails(tmp_path):
    """An experimental option of Streamlit, which the Dockerfile relies on."""
    (tmp_path / "page.py").write_text("raise RuntimeError('broken')")
    (tmp_path / "app.py").write_text("import streamlit as st\nst.navigation([st.Page('page.py')]).run()")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    environment = os.environ | dict(re.findall(r"(STREAMLIT_SERVER_SCRIPT\w+)=(\w+)", read("Dockerfile")))
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless", "true"]
    command += ["--server.address", "127.0.0.1", "--server.port", port]
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as server:
        try:
            assert status(f"http://127.0.0.1:{port}/_stcore/health") == 200
            assert status(f"http://127.0.0.1:{port}/_stcore/script-health-check") == 503
        finally:
            server.terminate()


def test_the_health_check_fails_when_the_model_is_refused(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    command = [sys.executable, "-m", "streamlit", "run", "server.py", "--server.port", port]
    environment = os.environ | {"RAYON_BUNDLE": str(tmp_path), "RAYON_HOME": str(tmp_path / "home")}
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as server:
        try:
            assert status(f"http://127.0.0.1:{port}/_stcore/script-health-check") == 503
        finally:
            server.terminate()


def status(url: str) -> int:
    """The HTTP status, once the server answers."""
    deadline = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(url, timeout=60) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def test_one_version_of_uv():
    (makefile,) = re.findall(r"^UV_VERSION := (\S+)", read("Makefile"), re.M)
    (dockerfile,) = re.findall(r"uv==(\S+)", read("Dockerfile"))
    assert makefile == dockerfile


def test_continuous_integration_runs_the_tests_and_no_more():
    commands = [line for line in read(".ci/run").splitlines() if line and not line.startswith("#")]
    assert commands == ["set -euo pipefail", 'cd "$(dirname "$0")/.."', "export CI=true", "exec make test"]
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o111


def test_tests_cannot_leave_this_machine():
    with socket.socket() as elsewhere, pytest.raises(RuntimeError, match="must not connect"):
        elsewhere.connect(("192.0.2.1", 80))
