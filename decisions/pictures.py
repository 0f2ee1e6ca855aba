"""The pictures of products in the store: files named by their content, in a folder or a shared storage."""

import hashlib
import re
import uuid
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import fsspec

from decisions.errors import DecisionError

_REFERENCE = re.compile(r"[0-9a-f]{64}")
_FILE = re.compile(rf"({_REFERENCE.pattern})(\.[0-9a-f]{{32}})?")  # the latter while it is being written
_CHUNK = 500
_SPARED = timedelta(minutes=10)  # a picture is written before the row that names it: until then it is nobody's


@dataclass(frozen=True, slots=True)
class Swept:
    """Files removed, their bytes, and those that are nobody's but too young to be removed yet."""

    pictures: int = 0
    bytes: int = 0
    young: int = 0


class PictureStore:
    """Pictures below ``place``, a folder's path or an fsspec URL. A reference is the sha256 of a picture's bytes.

    Its methods raise DecisionError when the storage is out of reach.
    """

    def __init__(self, place: str) -> None:
        self.place = place
        try:
            self._fs, root = fsspec.url_to_fs(place)
        except (ImportError, ValueError) as error:
            raise DecisionError("pictures", {"place": place, "error": str(error)}) from error
        self._root = root.rstrip("/")

    def keep(self, data: bytes) -> str:
        """Writes a picture, once however often it is kept; gives its reference."""
        reference = hashlib.sha256(data).hexdigest()
        path = self._path(reference)
        with self._refusing():
            # What is old is written anew, so that nobody sweeps it before a row names it again.
            if self._age(path) > _SPARED / 2:
                self._fs.makedirs(path.rsplit("/", 1)[0], exist_ok=True)
                # Under a name of its own first: a picture is there whole or not at all.
                unfinished = f"{path}.{uuid.uuid4().hex}"
                self._fs.pipe_file(unfinished, data)
                self._fs.mv(unfinished, path)
        return reference

    def read(self, reference: str) -> bytes | None:
        """A picture's bytes; None when it was purged."""
        path = self._path(reference)
        with self._refusing(), suppress(FileNotFoundError):
            return self._fs.cat_file(path)
        return None

    def size(self, reference: str) -> int | None:
        """Bytes of a picture; None when it is not there."""
        path = self._path(reference)
        with self._refusing(), suppress(FileNotFoundError):
            return int(self._fs.size(path))
        return None

    def remove(self, reference: str) -> None:
        """Deletes a picture; nothing happens when it is gone already."""
        path = self._path(reference)
        with self._refusing(), suppress(FileNotFoundError):
            self._fs.rm_file(path)

    def references(self) -> Iterator[str]:
        """Every picture there is."""
        yield from self.sizes()

    def sizes(self) -> dict[str, int]:
        """Bytes of every picture there is, by its reference: one listing, however many there are."""
        return {match[0]: size for match, _, size in self._files() if match[2] is None}

    def sweep(self, named: Callable[[Collection[str]], Collection[str]], dry: bool = False) -> Swept:
        """Removes what no product names, and what was left unfinished; with ``dry``, only says what it would.

        ``named``: those of some references that products name.
        """
        files = list(self._files())
        removed, freed, young = 0, 0, 0
        for start in range(0, len(files), _CHUNK):
            chunk = files[start : start + _CHUNK]
            kept = set(named([match[1] for match, _, _ in chunk]))
            for match, path, size in chunk:
                if match[0] in kept:
                    continue
                with self._refusing(), suppress(FileNotFoundError):
                    if self._age(path) <= _SPARED:
                        young += 1
                        continue
                    if not dry:
                        self._fs.rm_file(path)
                    removed, freed = removed + 1, freed + size
        return Swept(removed, freed, young)

    def _files(self) -> Iterator[tuple[re.Match, str, int]]:
        """What lies there under names of ours: the name's parts (reference, ending), path and bytes."""
        with self._refusing():
            found = self._fs.find(self._root, detail=True)
        for path, about in found.items():
            if match := _FILE.fullmatch(path.rsplit("/", 1)[-1]):
                yield match, path, int(about["size"])

    def _age(self, path: str) -> timedelta:
        """Since it was written; endless when it is not there."""
        try:
            return datetime.now(UTC) - self._fs.modified(path)
        except FileNotFoundError:
            return timedelta.max

    @contextmanager
    def _refusing(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # the drivers of storages share no base for their errors
            raise DecisionError("pictures", {"place": self.place, "error": str(error)}) from error

    def _path(self, reference: str) -> str:
        if not _REFERENCE.fullmatch(reference):
            raise ValueError(f"no reference of a picture: {reference[:80]!r}")
        return f"{self._root}/{reference[:2]}/{reference}"
