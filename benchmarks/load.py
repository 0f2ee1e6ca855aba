"""Many at once on one server: API clients, real browsers, too many. Answers are compared with the right ones."""

import asyncio
import collections
import itertools
import shutil
import statistics
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from playwright.sync_api import Browser, Locator, Page, sync_playwright

from benchmarks.load_server import TOP, Question, Server, questions, serving

_CLIENTS, _BROWSERS, _REQUESTS, _CROWD, _WINDOWS = 8, 3, 10_000, 400, 20
_SHORT = 400
_NEAR = 2e-3
_EVERY = 250
_CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@dataclass
class Tally:
    """What came back."""

    seconds: list[float] = field(default_factory=list)
    statuses: collections.Counter = field(default_factory=collections.Counter)
    wrong: int = 0
    memory: list[float] = field(default_factory=list)

    def line(self, name: str, elapsed: float) -> str:
        """Of the table of latencies."""
        ms = sorted(1000 * one for one in self.seconds)
        quantile = ms[int(0.95 * (len(ms) - 1))]
        rate = len(ms) / elapsed
        return f"| {name} | {len(ms)} | {rate:.0f} | {statistics.median(ms):.0f} | {quantile:.0f} | {self.wrong} |"


def measure(folder: Path) -> str:
    """The whole document but for its head."""
    asked = questions(600)
    with serving(folder, _CLIENTS) as server:
        return "\n".join([*_together(server, asked), *_crowd(server, asked), *_windows(server, asked)])


def _together(server: Server, asked: list[Question]) -> Iterator[str]:
    yield "## Right answers, side by side\n"
    yield "| who | requests | a second | ms (median) | ms (95th percentile) | wrong |\n|---|---:|---:|---:|---:|---:|"
    for name, clients, browsers, requests in (
        ("one API client", 1, 0, _SHORT),
        (f"{_CLIENTS} API clients", _CLIENTS, 0, _SHORT * 2),
        (f"{_CLIENTS} API clients beside {_BROWSERS} browsers", _CLIENTS, _BROWSERS, _REQUESTS),
    ):
        pages = Pages(server, asked, browsers)
        tally, started = Tally(), time.perf_counter()
        with pages.at_work() if browsers else nullcontext():
            _ask(server, asked, clients, requests, tally)
        yield tally.line(name, time.perf_counter() - started)
        assert set(tally.statuses) == {200}, tally.statuses
    yield pages.tally.line(f"the {_BROWSERS} browsers meanwhile", time.perf_counter() - started)
    yield (
        f"\nAn answer is wrong when its first {TOP} categories or the probability of the first are not those that a"
        " classifier gave which nobody else used. A browser's is wrong, too, when its page holds a word of another's"
        f" product: {pages.foreign} did.\n"
    )
    yield "## Memory\n"
    yield "| requests answered | MB |\n|---:|---:|"
    every = len(tally.memory) // 10
    for n, megabytes in list(enumerate(tally.memory))[::every]:
        yield f"| {n * _EVERY} | {megabytes:.0f} |"
    half = len(tally.memory) // 2
    growth = statistics.mean(tally.memory[half:]) / statistics.mean(tally.memory[1:half])
    yield f"\nMean of the second half over that of the first: {growth:.3f}.\n"


def _ask(server: Server, asked: list[Question], clients: int, requests: int, tally: Tally) -> None:
    numbers, lock = iter(range(requests)), threading.Lock()

    def work(client: int) -> None:
        with httpx.Client(timeout=120, headers=_authorization(server, client)) as http:
            while (number := next(numbers, None)) is not None:
                started = time.perf_counter()
                answer = http.post(f"{server.url}/api/v1/classify", files=_form(asked[number % len(asked)]))
                seconds = time.perf_counter() - started
                with lock:
                    tally.seconds.append(seconds)
                    tally.statuses[answer.status_code] += 1
                    tally.wrong += not _right(answer, asked[number % len(asked)])
                    if number % _EVERY == 0:
                        tally.memory.append(server.memory())

    with ThreadPoolExecutor(clients) as pool:
        for done in [pool.submit(work, n) for n in range(clients)]:
            done.result()


def _crowd(server: Server, asked: list[Question]) -> Iterator[str]:
    answers = asyncio.run(_all_at_once(server, asked))
    statuses = collections.Counter(answer.status_code for answer in answers)
    late = [answer for answer in answers if answer.status_code == 503]
    told = sum("retry-after" in answer.headers for answer in late)
    wrong = sum(
        answer.status_code == 200 and not _right(answer, question)
        for answer, question in zip(answers, itertools.cycle(asked))
    )
    after = Tally()
    _ask(server, asked, 1, 20, after)
    yield f"## More than it can take\n\n{_CROWD} requests at the same moment:\n"
    yield "| status | answers |\n|---:|---:|"
    yield from (f"| {status} | {number} |" for status, number in sorted(statuses.items()))
    yield (
        f"\n{told} of the {len(late)} refusals say when to come again (`Retry-After`); {wrong} answers are wrong."
        f" Of 20 requests right after, {after.statuses[200]} are answered and {after.wrong} wrong.\n"
    )


async def _all_at_once(server: Server, asked: list[Question]) -> list[httpx.Response]:
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    async with httpx.AsyncClient(timeout=120, limits=limits) as http:
        return await asyncio.gather(
            *(
                http.post(
                    f"{server.url}/api/v1/classify",
                    files=_form(asked[number % len(asked)]),
                    headers=_authorization(server, number),
                )
                for number in range(_CROWD)
            )
        )


def _windows(server: Server, asked: list[Question]) -> Iterator[str]:
    before = server.memory()
    with _browser() as browser:
        for number in range(_WINDOWS):
            page = browser.new_context().new_page()
            page.goto(f"{server.url}/?lang=en")
            _fill(page, asked[number])
        megabytes = (server.memory() - before) / _WINDOWS
    yield (
        f"## Windows\n\n{_WINDOWS} browsers with a classified product: {megabytes:.1f} MB of the server's more for"
        " each, where what the load before left free is used first.\n"
    )


class Pages:
    """Browsers that classify one product after the other for as long as others are at work."""

    def __init__(self, server: Server, asked: list[Question], number: int) -> None:
        self.tally, self.foreign = Tally(), 0
        self._server, self._asked, self._number = server, _changing(asked, number), number
        self._ready, self._ended = threading.Event(), threading.Event()

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """From when they have the page to the end of the turn that they are at."""
        done = ThreadPoolExecutor(1).submit(self._work)
        done.add_done_callback(lambda _: self._ready.set())
        self._ready.wait()
        try:
            yield
        finally:
            self._ended.set()
            done.result()

    def _work(self) -> None:
        with _browser() as browser:
            pages = [browser.new_context().new_page() for _ in range(self._number)]
            for page in pages:
                page.goto(f"{self._server.url}/?lang=en")
                _box(page).wait_for()
            self._ready.set()
            for number in itertools.takewhile(lambda _: not self._ended.is_set(), itertools.count()):
                # All are asked before any is waited for: their runs are side by side on the server.
                turn = [self._asked[(number * self._number + n) % len(self._asked)] for n in range(self._number)]
                started = [_fill(page, question, wait=False) for page, question in zip(pages, turn, strict=True)]
                for page, question, begun in zip(pages, turn, started, strict=True):
                    right = _answered(page, question)
                    self.tally.seconds.append(time.perf_counter() - begun)
                    self.tally.wrong += not right
                    text = page.inner_text("body")
                    self.foreign += any(other.tag in text for other in turn if other is not question)


def _changing(asked: list[Question], pages: int) -> list[Question]:
    """Those without a picture, dealt out so that each page's next answer is another than the one it shows."""
    waiting, dealt = [one for one in asked if one.product.image is None], []
    while waiting:
        shown = dealt[-pages].codes[0] if len(dealt) >= pages > 0 else None
        following = next((one for one in waiting if one.codes[0] != shown), None)
        if following is None:
            break
        waiting.remove(following)
        dealt.append(following)
    return dealt[: len(dealt) // pages * pages] if pages else []


def _fill(page: Page, question: Question, wait: bool = True) -> float:
    box = _box(page)
    box.fill(question.product.designation or "")
    started = time.perf_counter()
    box.press("Enter")
    if wait:
        _answered(page, question)
    return started


def _box(page: Page) -> Locator:
    return page.locator(".st-key-classify_designation input")


def _answered(page: Page, question: Question) -> bool:
    """Whether the page comes to say the right category for its product."""
    try:
        page.wait_for_function(
            """([tag, code]) => {
                const first = document.querySelector('.st-key-result_first');
                const app = document.querySelector('[data-testid=stApp]');
                const box = document.querySelector('.st-key-classify_designation input');
                return first && box && box.value.includes(tag) && app.dataset.testScriptState === 'notRunning'
                    && first.innerText.includes(code);
            }""",
            arg=[question.tag, str(question.codes[0])],
            timeout=30_000,
        )
    except Exception:  # Playwright's own kind of time-out
        return False
    return True


@contextmanager
def _browser() -> Iterator[Browser]:
    path = next(filter(None, map(shutil.which, _CHROMIUM)), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


def _authorization(server: Server, client: int) -> dict[str, str]:
    return {"Authorization": f"Bearer {server.tokens[client % len(server.tokens)]}"}


def _form(question: Question) -> dict:
    files = {"designation": (None, question.product.designation), "top_k": (None, str(TOP))}
    return files if question.product.image is None else files | {"image": ("picture.png", question.product.image)}


def _right(answer: httpx.Response, question: Question) -> bool:
    if answer.status_code != 200:
        return False
    categories = answer.json()["categories"]
    same = [one["code"] for one in categories] == question.codes
    return same and abs(categories[0]["probability"] - question.probability) < _NEAR
