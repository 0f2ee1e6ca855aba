"""A server of its own for the load, what it is asked, and what a right answer is."""

import csv
import os
import random
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from benchmarks.processes import family, memory_of
from model.product import Product
from settings import ROOT

TOP = 3
_START_SECONDS = 180
_PICTURES = sorted((ROOT / "ui" / "gallery").glob("*.png"))


@dataclass(frozen=True, slots=True)
class Question:
    """A product and its right answer: the first codes, and the probability of the first. ``tag``: a word of its own."""

    product: Product
    codes: list[int]
    probability: float
    tag: str


@dataclass(frozen=True, slots=True)
class Server:
    """One that runs."""

    url: str
    pid: int
    tokens: list[str]

    def memory(self) -> float:
        """Megabytes that it and its children hold."""
        return sum(map(memory_of, family(self.pid))) / 1e6


def questions(number: int) -> list[Question]:
    """Products of the corpus, each tenth with a picture; answered by a classifier of this process alone."""
    from model.classifier import Classifier

    random.seed(7)
    texts = [text for path in sorted((ROOT / "corpus").glob("*.csv")) for text in random.sample(_texts(path), 12)]
    random.shuffle(texts)
    tags = [f"qx{n}z" for n in range(number)]
    products = [
        Product(
            designation=f"{texts[n % len(texts)]} {tags[n]}",
            image=_PICTURES[n % len(_PICTURES)].read_bytes() if n % 10 == 9 else None,
        )
        for n in range(number)
    ]
    found = Classifier.load().predict(products)
    return [
        Question(product, [one.code for one in answer.categories[:TOP]], answer.confidence, tag)
        for product, answer, tag in zip(products, found, tags, strict=True)
    ]


@contextmanager
def serving(folder: Path, clients: int) -> Iterator[Server]:
    """The application as `make run` starts it, without a limit of requests a minute, ready to answer."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {"RAYON_HOME": str(folder), "RAYON_API_RATE": "0"}
    environment.pop("RAYON_BUNDLE", None)
    command = [sys.executable, "-m", "streamlit", "run", "server.py", "--server.port", str(port)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}"
    try:
        _until_ready(url)
        tokens = [_token(f"client-{n}", environment) for n in range(clients)]
        yield Server(url, process.pid, tokens)
    finally:
        process.terminate()
        process.wait(30)


def _texts(path: Path) -> list[str]:
    with path.open(encoding="utf-8", newline="") as file:
        return [row["designation"] for row in csv.DictReader(file)]


def _until_ready(url: str) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"{url}/api/v1/health/ready", timeout=30).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.5)
    raise TimeoutError(f"the server was not ready after {_START_SECONDS} s")


def _token(name: str, environment: dict[str, str]) -> str:
    command = [sys.executable, "-m", "api", "token", "add", name, "--scope", "classify"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    [token] = re.findall(r"rayon_[\w-]{43}", done.stdout)
    return token
