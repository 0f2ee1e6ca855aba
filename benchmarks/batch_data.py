"""Tables and pictures made up for the batch benchmarks, and the command that classifies them."""

import csv
import io
import random
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.processes import Usage, watched
from model.training.corpus import read_corpus
from settings import ROOT

HEADER = ("", "designation", "description", "productid", "imageid")
"""The challenge's layout."""


def listings(rows: int, described: float, seed: int = 0) -> Iterator[tuple[str, str]]:
    """Designations and descriptions from the corpus. ``described``: share with one, about 800 characters, in HTML."""
    chance, corpus = random.Random(seed), read_corpus()
    titles, texts = [r.designation for r in corpus], [r.description for r in corpus if r.description]
    for _ in range(rows):
        wanted = chance.lognormvariate(6.4, 0.8) if chance.random() < described else 0.0
        parts: list[str] = []
        while wanted > 0:
            parts.append(chance.choice(texts))
            wanted -= len(parts[-1])
        yield chance.choice(titles), "<br />".join(parts)


def write_texts(path: Path, rows: int, described: float, longest: int | None = None) -> Path:
    """A table of texts, without pictures. ``longest``: characters of a designation that are kept."""
    texts = enumerate(listings(rows, described))
    return _write(path, ((i, title[:longest], text, i, i) for i, (title, text) in texts))


def write_pictures(path: Path, rows: int, files: int) -> Path:
    """A table without a word, whose rows name ``files`` pictures in turn."""
    return _write(path, ((i, "", "", i % files, i % files) for i in range(rows)))


def _write(path: Path, rows: Iterator[tuple]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        writer.writerows(rows)
    return path


def photo(random_: np.random.Generator, side: int) -> bytes:
    """A JPEG such as shops take: something with texture on a white ground, ``side`` pixels square, about 40 kB."""
    across, down = side * random_.uniform(0.5, 0.95, 2)
    coarse = Image.fromarray(random_.integers(0, 256, (24, 24, 3), dtype=np.uint8))
    thing = np.asarray(coarse.resize((int(across), int(down)), Image.Resampling.BICUBIC), np.int16)
    thing = (thing + random_.integers(-12, 13, thing.shape)).clip(0, 255).astype(np.uint8)
    square = Image.new("RGB", (side, side), "white")
    square.paste(Image.fromarray(thing), (int(side - across) // 2, int(side - down) // 2))
    buffer = io.BytesIO()
    square.save(buffer, "JPEG", quality=85)
    return buffer.getvalue()


def write_photos(folder: Path, files: int, side: int) -> Path:
    """Pictures under the challenge's names."""
    folder.mkdir()
    random_ = np.random.default_rng(0)
    for i in range(files):
        (folder / f"image_{i}_product_{i}.jpg").write_bytes(photo(random_, side))
    return folder


def classify(table: Path, *options: str) -> Usage:
    """The command in a process of its own, from reading the file to the written result."""
    out = table.with_name("out.csv")
    command = [
        sys.executable,
        "-m",
        "batch",
        "classify",
        str(table),
        "--out",
        str(out),
        "--quiet",
        *options,
    ]
    usage = watched(command, ROOT)
    out.unlink()
    return usage
