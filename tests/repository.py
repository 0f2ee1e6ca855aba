"""The repository's files, for the tests that read them."""

from functools import lru_cache
from pathlib import Path

from settings import ROOT

_IGNORED = {line[:-1] for line in (ROOT / ".gitignore").read_text(encoding="utf-8").split() if line.endswith("/")}


@lru_cache(maxsize=1)
def repository_files() -> tuple[Path, ...]:
    """Every file, relative to the root, less the folders that git ignores. Needs no git."""
    found, folders = [], [ROOT]
    while folders:
        for path in folders.pop().iterdir():
            if path.name in _IGNORED or path.name == ".git":
                continue
            if path.is_dir():
                folders.append(path)
            else:
                found.append(path.relative_to(ROOT))
    return tuple(sorted(found))


def read(name: str | Path) -> str:
    """The text of a file of the repository."""
    return (ROOT / name).read_text(encoding="utf-8")
