"""Where the documents lead, there is something."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest

from settings import ROOT
from tests.repository import read, repository_files

DOCUMENTS = [
    "README.md",
    "SECURITY.md",
    "CONTRIBUTING.md",
    *sorted(f"docs/{path.name}" for path in ROOT.glob("docs/*.md")),
]
MADE_LATER = {"deploy/secrets", ".streamlit/secrets.toml"}
_BLOCK = re.compile(r"^```.*?^```$", re.M | re.S)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_PATH = re.compile(r"\.?\w[\w.-]*(?:/[\w.-]+)*/?")


def prose(document: str) -> str:
    """Without blocks of code."""
    return _BLOCK.sub("", read(document))


def links(document: str) -> list[tuple[str, str]]:
    """Path and anchor of each link that stays in the repository."""
    found = [link for link in _LINK.findall(prose(document)) if not re.match(r"[a-z]+:", link)]
    return [tuple(unquote(link).partition("#")[::2]) for link in found]


def anchors(document: str) -> set[str]:
    """What the headings are called in links."""
    headings = re.findall(r"^#+ (.+)$", prose(document), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.casefold()).replace(" ", "-") for heading in headings}


def paths(document: str) -> Iterator[str]:
    """What code in the prose and in blocks names, and that begins as a folder of the repository does."""
    folders = {path.parts[0] for path in repository_files() if len(path.parts) > 1}
    inline = [code for code in re.findall(r"`([^`\n]+)`", prose(document)) if _PATH.fullmatch(code)]
    blocks = [word for block in _BLOCK.findall(read(document)) for word in block.split() if _PATH.fullmatch(word)]
    for path in [*inline, *blocks]:
        if "/" in path and path.split("/")[0] in folders:
            yield path.rstrip("/")


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_somewhere(document: str) -> None:
    for path, anchor in links(document):
        target = (ROOT / document).parent / path if path else ROOT / document
        assert target.exists(), f"{document} leads to {path}"
        assert target.resolve().is_relative_to(ROOT.resolve()), f"{document} leads out of the repository: {path}"
        if anchor and target.suffix == ".md":
            assert anchor in anchors(str(target.resolve().relative_to(ROOT.resolve()))), f"{document}: {path}#{anchor}"


@pytest.mark.parametrize("document", DOCUMENTS)
def test_paths_that_are_named_are_there(document: str) -> None:
    for path in paths(document):
        there = (ROOT / path).exists() or any(path.startswith(later) for later in MADE_LATER)
        assert there, f"{document} names {path}"


def test_files_of_the_manifests_are_there() -> None:
    named = set(re.findall(r"`(\w+\.yaml)`", prose("docs/deployment.md")))
    assert named and named <= {path.name for path in ROOT.glob("deploy/kubernetes/*.yaml")}


def test_the_test_would_notice() -> None:
    assert not Path(ROOT / "docs" / "nowhere.md").exists()
    assert "deploy/kubernetes/restore.yaml" in set(paths("docs/deployment.md"))
    assert ("deployment.md", "backup") in links("docs/decisions.md") and "backup" in anchors("docs/deployment.md")
