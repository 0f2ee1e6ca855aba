"""Rows that are the same listing: by their picture's bytes or by their words."""

import hashlib
from collections.abc import Sequence

import numpy as np
from nltk.tokenize import RegexpTokenizer
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from model.training.data.examples import Example
from model.training.data.pictures import Progress
from preprocessing.text import fold

_WORDS = RegexpTokenizer(r"[^\W_]+")  # as preprocessing.text.tokenize, which would note where each word stands too


def words(text: str) -> list[str]:
    """The folded words of a text: those of `preprocessing.text.tokenize`, in half its time."""
    return _WORDS.tokenize(fold(text).text)


def text_key(designation: str, description: str) -> int:
    """64-bit hash of the words of both texts; 0 when there is none."""
    parts = [" ".join(words(text)) for text in (designation, description)]
    return _hash("\x1f".join(parts)) if any(parts) else 0


def text_keys(examples: Sequence[Example], progress: Progress | None = None) -> np.ndarray:
    """The `text_key` of each row, uint64 (n,)."""
    rows = progress(examples, total=len(examples)) if progress else examples
    return np.array([text_key(row.designation, row.description) for row in rows], np.uint64)


def content_keys(examples: Sequence[Example]) -> np.ndarray:
    """Hash of each row's texts as written and its picture's file name, uint64 (n,): the same wherever it stands."""
    names = (row.picture.replace("\\", "/").rpartition("/")[2] if row.picture else "" for row in examples)
    texts = ((row.designation, row.description, name) for row, name in zip(examples, names, strict=True))
    return np.array([_hash("\x1f".join(text)) for text in texts], np.uint64)


def groups(
    examples: Sequence[Example], picture_hashes: Sequence[str | None], keys: np.ndarray | None = None
) -> np.ndarray:
    """Numbers of groups, int (n,): rows that share a picture hash or a text key, at once or by others between them.

    `keys`: the rows' `text_keys` if known. Numbers follow the groups' contents, not the order of the rows.
    """
    keys = text_keys(examples) if keys is None else keys
    n = len(examples)
    hashes = np.array([hash_ or "" for hash_ in picture_hashes], str)
    if not n == len(keys) == len(hashes):
        raise ValueError("a text key and a picture hash for each row")
    if not n:
        return np.zeros(0, int)
    row, node, nodes = [], [], n
    for values, known in ((keys, keys != 0), (hashes, hashes != "")):
        distinct, places = np.unique(values[known], return_inverse=True)
        row.append(np.flatnonzero(known))
        node.append(nodes + places)
        nodes += len(distinct)
    edges = np.concatenate(row), np.concatenate(node)
    graph = coo_array((np.ones(len(edges[0]), bool), edges), (nodes, nodes))
    _, found = connected_components(graph, directed=False)
    return _by_content(found[:n], content_keys(examples))


def smallest(keys: np.ndarray, group: np.ndarray) -> np.ndarray:
    """The smallest key of each group that a position (n,) in 0…G-1 names, uint64 (G,)."""
    least = np.full(group.max(initial=-1) + 1, np.iinfo(np.uint64).max, np.uint64)
    np.minimum.at(least, group, keys)
    return least


def _by_content(found: np.ndarray, keys: np.ndarray) -> np.ndarray:
    """The same groups, numbered from 0 by the smallest content key of each."""
    _, group = np.unique(found, return_inverse=True)
    order = np.argsort(smallest(keys, group), kind="stable")
    numbers = np.empty(len(order), int)
    numbers[order] = np.arange(len(order))
    return numbers[group]


def _hash(text: str) -> int:
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") or 1
