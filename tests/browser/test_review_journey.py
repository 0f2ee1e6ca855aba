"""What moderators do, in a real browser: a hundred products by keyboard alone, two of them at once."""

import os
import statistics
import time
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from decisions.database import open_database
from decisions.items import Decision, NewItem
from decisions.pictures import PictureStore
from decisions.store import DecisionStore
from model.product import Product, RankedCategory
from model.taxonomy import default_taxonomy
from settings import ROOT
from tests.browser.test_batch_journey import written
from ui.gallery import EXAMPLES

pytestmark = pytest.mark.browser

EACH, ALONE = 50, 30
SCREENSHOT = ROOT / "docs" / "review.png"
PRODUCT = ".rayon-product"
# How long from a key to the next product, its picture decoded and drawn; in milliseconds.
WATCH = """() => {
  window.shown = () => document.querySelector(".rayon-product")?.id;
  [window.waits, window.appeared] = [[], performance.now()];
  let [pressed, last] = [null, window.shown()];
  document.addEventListener("keydown", () => { pressed ??= performance.now(); }, true);
  new MutationObserver(() => {
    const now = window.shown();
    if (!now || now === last) return;
    const [since, picture] = [pressed, document.querySelector(".rayon-product img")];
    [pressed, last, window.appeared] = [null, now, performance.now()];
    const drawn = () => requestAnimationFrame(() => { if (since) window.waits.push(performance.now() - since); });
    if (picture) picture.decode().then(drawn, drawn); else drawn();
  }).observe(document.body, { subtree: true, childList: true });
}"""


def fill(home: Path, count: int, word: str = "lot") -> DecisionStore:
    """A queue of drawn products; what is most doubtful comes first."""
    store = DecisionStore(open_database(f"sqlite:///{home / 'rayon.db'}"), PictureStore(str(home / "pictures")), 300, 0)
    store.add(drawn(n, count, word) for n in range(count))
    return store


def drawn(n: int, count: int, word: str) -> NewItem:
    example = EXAMPLES[n % len(EXAMPLES)]
    codes = default_taxonomy().codes
    first = 0.4 + 0.3 * n / count
    shares = (first, 0.25, 0.75 - first)
    ranked = tuple(RankedCategory(codes[(n + 5 * i) % len(codes)], share) for i, share in enumerate(shares))
    product = Product(f"{example.designation} – {word} {n}", example.description or None, example.image)
    return NewItem(product, ranked, "made-up", "batch", "doubt", 1.0, "lot", "produits.csv", n)


def open_review(page: Page, name: str | None) -> Page:
    """The queue, with a product on screen; ``name``: typed in, unless the browser knows it."""
    page.wait_for_load_state("networkidle")  # pictures of a page that is left are not served any more
    page.get_by_role("link", name=written("Review")).click()
    if name:
        page.locator(".st-key-review_person_name input").fill(name)
        page.keyboard.press("Enter")
    expect(page.locator(PRODUCT)).to_be_visible()
    page.evaluate(WATCH)
    await_other(page, None)
    return page


def shown(page: Page) -> str:
    return page.locator(PRODUCT).get_attribute("id")


def title(page: Page) -> str:
    return page.locator(f"{PRODUCT} h3").inner_text()


def await_other(page: Page, before: str | None) -> None:
    """Until another product is on screen, and has been for long enough to be looked at."""
    page.wait_for_function(
        "before => window.shown() && window.shown() !== before && performance.now() - window.appeared > 260",
        arg=before,
    )


def await_page(page: Page) -> None:
    """Until no field has the focus any more: nobody has to click elsewhere for that."""
    page.wait_for_function("!document.activeElement.matches('input')", timeout=5_000)


def press(page: Page, key: str) -> None:
    before = shown(page)
    page.keyboard.press(key)
    await_other(page, before)


def test_two_moderators_at_once_decide_a_hundred_products_by_keys_alone(visit, shared_server, capsys) -> None:
    store = fill(shared_server.home, 2 * EACH)
    pages = [open_review(visit(), "Anne"), open_review(visit(), "Basile")]
    keys = ["a", "Enter", "2", "d", "3", "1"]
    began, titles, before = time.monotonic(), [], {}
    for n in range(EACH):
        for page in pages:  # while one looks for its next product, the other is at work
            await_other(page, before.get(page))
            before[page], text = page.evaluate("[shown(), document.querySelector('.rayon-product h3').innerText]")
            titles.append(text)
            page.keyboard.press(keys[n % len(keys)])
    for page in pages:
        expect(page.locator(".st-key-review_nothing")).to_be_visible()
    took = time.monotonic() - began

    assert len(set(titles)) == len(titles) == 2 * EACH
    assert store.states() == {"decided": 2 * EACH}
    log = list(store.log())
    assert len(log) == len({one.key for one in log}) == 2 * EACH
    assert sorted(one.person for one in log) == ["Anne"] * EACH + ["Basile"] * EACH
    for one in log:
        code = {"unknown": None, "accepted": one.suggestions[0].code}.get(one.decision, one.code)
        assert one.code == code and one.seconds > 0.2
    waits = sorted(wait for page in pages for wait in page.evaluate("waits"))
    assert len(waits) >= 2 * EACH - 4
    with capsys.disabled():
        print(f"\ntwo at once: {told(waits)}; {2 * EACH} decisions in {took:.0f} s")


def test_a_moderator_alone_decides_by_keyboard(visit, shared_server, capsys) -> None:
    store = fill(shared_server.home, ALONE + 1, "seul")
    page = open_review(visit(), "Diane")
    for n in range(ALONE):
        press(page, ["a", "2", "d"][n % 3])
    assert [one.person for one in store.log()][-ALONE:] == ["Diane"] * ALONE
    waits = sorted(page.evaluate("waits"))
    press(page, "u")
    assert len(store.last("Diane", ALONE)) == ALONE - 1
    with capsys.disabled():
        print(f"\nalone: {told(waits)}")
    press(page, "a")
    page.keyboard.press("a")
    expect(page.locator(".st-key-review_nothing")).to_be_visible()
    assert store.states()["decided"] == len(store.frame())


def told(waits: list[float]) -> str:
    return (
        f"from key to next product: median {statistics.median(waits):.0f} ms, "
        f"95th percentile {waits[int(0.95 * len(waits))]:.0f} ms"
    )


def test_the_keyboard_reaches_every_answer_and_only_when_meant(visit, shared_server) -> None:
    store = fill(shared_server.home, 6, "essai")
    page = open_review(visit(height=1080), "Clara")
    first = title(page)

    # In a field letters are letters; what is written there goes with the decision.
    page.keyboard.press("e")
    page.keyboard.type("add 2 anse 1")
    page.keyboard.press("Enter")
    assert title(page) == first and not last(store)
    # Any category, found by its name.
    before = shown(page)
    page.keyboard.press("f")
    page.keyboard.type("piscine")
    expect(page.get_by_role("option").first).to_contain_text("2583")
    page.keyboard.press("Enter")
    await_other(page, before)
    assert (last(store).decision, last(store).code, last(store).note) == ("corrected", 2583, "add 2 anse 1")

    # A French keyboard without Shift: the key of "2" writes "é".
    before, second = shown(page), title(page)
    page.evaluate(
        "document.body.dispatchEvent(new KeyboardEvent('keydown', {key: 'é', code: 'Digit2', bubbles: true}))"
    )
    await_other(page, before)
    assert last(store).code == last(store).suggestions[1].code
    press(page, "u")
    assert title(page) == second and last(store).note
    # The keypad without NumLock: its keys are arrows, which scroll.
    taken = len(list(store.log()))
    page.evaluate(
        "document.body.dispatchEvent(new KeyboardEvent('keydown', {key: 'ArrowDown', code: 'Numpad2', bubbles: true}))"
    )
    page.wait_for_timeout(500)
    assert title(page) == second and len(list(store.log())) == taken
    if os.environ.get("RAYON_SCREENSHOT"):
        page.wait_for_timeout(1500)
        page.screenshot(path=SCREENSHOT)

    # Held down, or pressed again before anybody could look: one decision.
    before = shown(page)
    for _ in range(8):
        page.evaluate(
            "document.body.dispatchEvent(new KeyboardEvent('keydown', {key: 'a', bubbles: true, repeat: true}))"
        )
    page.keyboard.press("a")
    page.keyboard.press("a")
    page.wait_for_function(
        """before => {
            const now = document.querySelector(".rayon-product")?.id ?? before;
            if (now !== before) document.body.dispatchEvent(new KeyboardEvent("keydown", {key: "a", bubbles: true}));
            return now !== before;
        }""",
        arg=before,
    )
    page.wait_for_timeout(1000)
    assert [one.key for one in store.last("Clara", 3)].count(last(store).key) == 1 and len(store.last("Clara", 9)) == 2

    # Passed over, and the same product after a reload.
    press(page, "ArrowRight")
    third = title(page)
    page.goto(shared_server.address)
    open_review(page, None)
    assert title(page) == third
    press(page, "s")
    assert last(store).decision == "skipped"
    press(page, "u")
    assert title(page) == third


def test_keys_work_at_once_after_the_mouse_and_enter_is_never_lost(visit, shared_server) -> None:
    store = fill(shared_server.home, 12, "souris")
    page = visit()
    # The form does not hear the first Enter, as when it comes before the button is there.
    page.wait_for_load_state("networkidle")
    page.get_by_role("link", name=written("Review")).click()
    page.locator(".st-key-review_person_name input").fill("Émile")
    page.evaluate(
        "document.getElementById('root').addEventListener('keydown',"
        " event => { if (event.key === 'Enter') event.stopPropagation(); }, { capture: true, once: true })"
    )
    page.keyboard.press("Enter")
    expect(page.locator(PRODUCT)).to_be_visible()
    page.evaluate(WATCH)
    await_other(page, None)

    tab, boxes = page.get_by_role("tab"), page.locator(".st-key-review_filters").get_by_role("combobox")
    tab.nth(2).click()
    expect(page.locator(PRODUCT)).to_have_count(0)
    tab.nth(0).click()
    page.locator(PRODUCT).wait_for()
    page.wait_for_timeout(400)  # to be looked at
    press(page, "a")
    tab.nth(0).click()
    press(page, "Enter")
    tab.nth(0).focus()  # by the keyboard: letters are for the product, arrows for the tabs
    press(page, "2")
    tab.nth(0).focus()
    page.keyboard.press("Escape")
    press(page, "ArrowRight")

    before = shown(page)
    boxes.nth(1).click()
    page.get_by_role("option").nth(1).click()
    await_other(page, before)
    await_page(page)
    press(page, "d")
    before = shown(page)
    boxes.nth(1).click()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    await_other(page, before)
    await_page(page)
    press(page, "1")
    boxes.nth(2).click()
    expect(page.get_by_role("option").first).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("option")).to_have_count(0)
    await_page(page)
    press(page, "a")

    before = shown(page)
    page.locator(".st-key-review_do_undo button").click()
    await_other(page, before)
    press(page, "Enter")  # not Undo again
    decided = ["accepted", "accepted", "corrected", "unknown", "accepted", "accepted"]
    assert [one.decision for one in reversed(store.last("Émile", 9))] == decided

    page.keyboard.press("e")
    page.keyboard.type("a1d")
    page.keyboard.press("Escape")
    assert len(store.last("Émile", 9)) == len(decided)
    press(page, "a")
    assert store.last("Émile", 1)[0].note == "a1d"


def last(store: DecisionStore) -> Decision | None:
    """Clara's last decision."""
    return next(iter(store.last("Clara", 1)), None)
