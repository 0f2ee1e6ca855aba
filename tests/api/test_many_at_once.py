"""Many clients at once: each has its own answer, and whoever is one too many is told when to come again."""

import threading
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import ExitStack

import pytest

from api.workers import Places, Workers
from model.product import Product
from tests.api.conftest import awaited, problem
from tests.api.samples import LAMP, SOFA, png

WORDS = ["lampe", "canapé", "piscine", "jeu", "cahier", "figurine", "coussin", "livre", "manette", "ballon"]


def test_each_client_has_its_own_answer(make_client, tokens, loaded, monkeypatch):
    monkeypatch.setattr("api.application.WAITING", 1000)
    products = [Product(designation=f"{word} numéro {i}") for i, word in enumerate(WORDS * 4)]
    products += [Product(designation=f"{word} {i}", image=png(80 + i, 60)) for i, word in enumerate(WORDS)]
    expected = [[one.code for one in answer.categories[:3]] for answer in loaded.predict(products)]
    made = [tokens.add(f"client-{i}", ["classify"]) for i in range(10)]

    def ask(number: int) -> tuple[list[int], str]:
        product = products[number]
        files = {"designation": (None, product.designation), "top_k": (None, "3"), "explain": (None, "true")}
        if product.image is not None:
            files["image"] = ("x.png", product.image)
        # Clients of one server, each with threads of its own.
        answer = client.post(
            "/classify", files=files, headers={"Authorization": f"Bearer {made[number % len(made)]}"}
        ).json()
        words = " ".join(word["text"] for word in answer["explanation"]["words"])
        return [one["code"] for one in answer["categories"]], words

    with make_client() as client, ThreadPoolExecutor(16) as pool:
        found = list(pool.map(ask, range(len(products))))
    for (codes, words), right, product in zip(found, expected, products, strict=True):
        assert codes == right
        assert set(words.split()) <= set(product.designation.lower().replace("é", "e").split())


@pytest.fixture
def stuck(monkeypatch, loaded):
    """A model that answers only once it is let go."""
    go, right = threading.Event(), loaded.predict
    monkeypatch.setattr(loaded, "predict", lambda products: go.wait(30) and right(products))
    yield go
    go.set()


def test_overload_is_answered_and_passes(make_client, tokens, stuck, monkeypatch):
    monkeypatch.setattr("api.application.WAITING", 3)
    headers = [{"Authorization": f"Bearer {tokens.add(name, ['classify'])}"} for name in ("shop", "other")]
    with make_client() as client, ThreadPoolExecutor(6) as pool:

        def ask(who: int):
            return pool.submit(client.post, "/classify", files={"designation": (None, LAMP)}, headers=headers[who])

        # Of five places one client has four: the fifth is another's, and the sixth is nobody's.
        asked = [ask(0) for _ in range(5)]
        done, inside = wait(asked, 20, FIRST_COMPLETED)
        [response] = [future.result() for future in done]
        assert problem(response, 503)["reason"] == "busy" and int(response.headers["retry-after"]) > 0
        done, others = wait([ask(1), ask(1)], 20, FIRST_COMPLETED)
        inside |= others
        assert [problem(future.result(), 503)["reason"] for future in done] == ["busy"]
        client.headers.update(headers[1])
        assert client.get("/health/live").status_code == 200 and client.get("/model").status_code == 200
        stuck.set()
        assert [future.result().status_code for future in inside] == [200] * 5
        assert client.post("/classify", files={"designation": (None, SOFA)}).status_code == 200


def test_so_many_bodies_at_once_and_no_more():
    places = Places(2)
    with places.taken("a"), places.taken("b"), pytest.raises(Exception, match="as much as it"), places.taken("c"):
        pass
    for _ in range(5):
        with pytest.raises(ZeroDivisionError), places.taken("a"):
            1 / 0  # noqa: B018


def test_one_client_leaves_places_to_others():
    places = Places(8)
    with ExitStack() as stack:
        for _ in range(6):
            stack.enter_context(places.taken("greedy"))
        with pytest.raises(Exception, match="as much as it"), places.taken("greedy"):
            pass
        with places.taken("other"), places.taken("third"):
            pass
    with places.taken("greedy"):
        pass


def test_a_place_is_kept_until_the_work_has_ended():
    """A client that hangs up does not make room while its work goes on."""
    import asyncio

    go = threading.Event()

    async def asked() -> None:
        workers = Workers("test", threads=1, waiting=0)
        task = asyncio.create_task(workers.run(go.wait, 10))
        await asyncio.sleep(0.05)
        task.cancel()
        await asyncio.sleep(0.05)
        with pytest.raises(Exception, match="more to do"):
            workers.check()
        go.set()
        await asyncio.sleep(0.1)
        workers.check()
        assert await workers.run(lambda: 7) == 7
        with pytest.raises(ZeroDivisionError):
            await workers.run(lambda: 1 / 0)
        workers.check()

    awaited(asked())
