"""Which picture a table's cell means: names compared as people write them, never as paths of a disk."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from urllib.parse import unquote

from batch.picture_errors import PictureProblem

# Those that preprocessing.image reads, and those it refuses by name.
EXTENSIONS = frozenset("jpg jpeg jpe jfif png webp gif bmp heic heif avif tif tiff svg".split())  # noqa: SIM905

_URL = re.compile(r"(?:[a-z][a-z0-9+.-]*:)?//[^/?#]*([^?#]*)", re.I)
_DRIVE = re.compile(r"[a-z]:", re.I)
_DEPTH = 4  # parts of a name, from its end, that can tell two pictures apart
_TWINS = 16  # positions kept under one name: enough to find the one spelled exactly so


def official_name(imageid: str, productid: str) -> str:
    """What the challenge calls the picture of a listing."""
    return f"image_{imageid.strip()}_product_{productid.strip()}.jpg"


def is_picture(name: str) -> bool:
    """Whether a file of this name may be a picture: not hidden, and with a picture's extension or none."""
    *folders, base = fold(name).split("/")
    extension = base.rpartition(".")[2] if "." in base else ""
    hidden = any(part.startswith(".") or part == "__macosx" for part in (*folders, base))
    return bool(base) and not hidden and (not extension or extension in EXTENSIONS)


def fold(name: str) -> str:
    """The name as compared: `/` between parts, no drive, no `.` or `..`, no case, one form of accents."""
    if name.isascii():
        name = name.lower()
    else:
        name = unicodedata.normalize("NFD", unicodedata.normalize("NFD", name).casefold())
    parts = [part.strip() for part in name.replace("\\", "/").split("/")]
    if _DRIVE.fullmatch(parts[0]):
        del parts[0]
    return "/".join(part for part in parts if part not in ("", ".", ".."))


class NameIndex:
    """Finds a picture's position among `names` (relative paths); `aliases` gives some of them other spellings."""

    def __init__(self, names: Sequence[str], aliases: Mapping[int, Iterable[str]] | None = None):
        self.names = names
        self._full = _Paths((fold(name), i) for i, name in enumerate(names))
        for i, others in (aliases or {}).items():
            for name in others:
                self._full.add(fold(name), i)

    @cached_property
    def _stems(self) -> "_Paths":
        return _Paths((_stem(path), i) for path, found in self._full.whole.items() for i in found)

    def position(self, name: str) -> int:
        """The one picture that `name` means; PictureProblem "missing" or "ambiguous".

        The exact relative path comes first, then as much of it as both sides have, then the base name, and
        last the base name of a picture less its extension.
        """
        spellings = [(spelling, fold(spelling)) for spelling in _spellings(name)]
        for paths in ("_full", "_stems"):
            for spelling, folded in spellings:
                found = getattr(self, paths).look(folded) if folded else ()
                if len(found) > 1:  # told apart by case or accents alone
                    found = [i for i in found if self.names[i] == spelling]
                    if len(found) != 1:
                        raise PictureProblem("ambiguous", {"name": name})
                if found:
                    return found[0]
        raise PictureProblem("missing", {"name": name})


class _Paths:
    """Folded paths → positions, looked up by whole path or by its end."""

    def __init__(self, items: Iterable[tuple[str, int]]):
        self.whole: dict[str, list[int]] = {}
        self._ends: dict[int, dict[str, list[int]]] = {}
        for path, position in items:
            self.add(path, position)

    def add(self, path: str, position: int) -> None:
        _keep(self.whole.setdefault(path, []), position)

    def look(self, path: str) -> Sequence[int]:
        """Positions of the paths that agree with most of `path`; several when it does not tell them apart."""
        if found := self.whole.get(path):
            return found
        parts = path.split("/")[-_DEPTH:]
        if found := self._ending(len(parts)).get("/".join(parts)):
            return found
        for start in range(1, len(parts)):  # the table may name more folders than there are here
            if found := self.whole.get("/".join(parts[start:])):
                return found
        return self._ending(1).get(parts[-1], ())

    def _ending(self, depth: int) -> dict[str, list[int]]:
        """Positions by the last `depth` parts of the path."""
        if depth not in self._ends:
            ends: dict[str, list[int]] = {}
            for path, found in self.whole.items():
                parts = path.rsplit("/", depth)
                if len(parts) >= depth:
                    end = ends.setdefault("/".join(parts[-depth:]), [])
                    for position in found:
                        _keep(end, position)
            self._ends[depth] = ends
        return self._ends[depth]


def _keep(found: list[int], position: int) -> None:
    if len(found) < _TWINS and position not in found:
        found.append(position)


def _spellings(name: str) -> Iterator[str]:
    """The name as given; of a URL, its path, with and without %20 and the like."""
    name = name.strip()
    yield name
    if url := _URL.match(name):
        yield unquote(url[1])
        yield url[1]


def _stem(path: str) -> str:
    folder, slash, base = path.rpartition("/")
    return folder + slash + (base.rpartition(".")[0] or base)
