"""The pictures of products in the store: files named by their content, in a folder or a shared storage."""

import hashlib
import re
import uuid
from collections.abc import Iterator
from contextlib import suppress

import fsspec

from decisions.errors import DecisionError

_REFERENCE = re.compile(r"[0-9a-f]{64}")


class PictureStore:
    """Pictures below ``place``, a folder's path or an fsspec URL. A reference is the sha256 of a picture's bytes."""

    def __init__(self, place: str) -> None:
        self.place = place
        try:
            self._fs, root = fsspec.url_to_fs(place)
        except (ImportError, ValueError) as error:
            raise DecisionError("pictures", {"place": place, "error": str(error)}) from error
        self._root = root.rstrip("/")

    def keep(self, data: bytes) -> str:
        """Writes a picture, once however often it is kept; gives its reference. DecisionError."""
        reference = hashlib.sha256(data).hexdigest()
        path = self._path(reference)
        try:
            if not self._fs.exists(path):
                self._fs.makedirs(path.rsplit("/", 1)[0], exist_ok=True)
                # Under a name of its own first: a picture is there whole or not at all.
                unfinished = f"{path}.{uuid.uuid4().hex}"
                self._fs.pipe_file(unfinished, data)
                self._fs.mv(unfinished, path)
        except Exception as error:  # the drivers of storages share no base for their errors
            raise DecisionError("pictures", {"place": self.place, "error": str(error)}) from error
        return reference

    def read(self, reference: str) -> bytes | None:
        """A picture's bytes; None when it was purged. DecisionError when the storage is out of reach."""
        try:
            return self._fs.cat_file(self._path(reference))
        except FileNotFoundError:
            return None
        except Exception as error:  # as above
            raise DecisionError("pictures", {"place": self.place, "error": str(error)}) from error

    def size(self, reference: str) -> int | None:
        """Bytes of a picture; None when it is not there."""
        try:
            return int(self._fs.size(self._path(reference)))
        except FileNotFoundError:
            return None

    def remove(self, reference: str) -> None:
        """Deletes a picture; nothing happens when it is gone already."""
        with suppress(FileNotFoundError):
            self._fs.rm_file(self._path(reference))

    def references(self) -> Iterator[str]:
        """Every picture there is."""
        for path in self._fs.find(self._root):
            name = path.rsplit("/", 1)[-1]
            if _REFERENCE.fullmatch(name):
                yield name

    def _path(self, reference: str) -> str:
        if not _REFERENCE.fullmatch(reference):
            raise ValueError(f"no reference of a picture: {reference[:80]!r}")
        return f"{self._root}/{reference[:2]}/{reference}"
