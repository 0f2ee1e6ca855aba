"""What a moderator does, in a real browser, in French: a picture, a designation, an answer, its reasons."""

import gettext
import os
import re
import urllib.request

import pytest
from playwright.sync_api import Locator, Page, expect

from settings import ROOT
from ui.language import DOMAIN, LOCALES

pytestmark = pytest.mark.browser

DESIGNATION = "Lampe de chevet en bois avec abat-jour en tissu"
PICTURE = ROOT / "ui" / "gallery" / "lamp.png"
SCREENSHOT = ROOT / "docs" / "screenshot.png"


def written(message: str, language: str = "fr") -> str:
    """A text of the screen, in a language."""
    return gettext.translation(DOMAIN, LOCALES, [language]).gettext(message)


def designation(page: Page, language: str = "fr") -> Locator:
    return page.get_by_role("textbox", name=written("Designation", language))


def upload(page: Page, picture) -> None:
    page.locator("input[type=file]").set_input_files(picture)
    expect(page.get_by_role("img", name=written("The picture to classify"))).to_be_visible()


def first_code(page: Page, language: str = "fr") -> str:
    """The code of the first category, once there is one."""
    before, after = written("Most likely category, code {code}", language).split("{code}")
    line = page.get_by_text(re.compile(rf"{re.escape(before)}\d+{re.escape(after)}")).first
    expect(line).to_be_visible()
    return re.search(r"\d+", line.inner_text())[0]


def open_why(page: Page) -> None:
    page.get_by_text(written("Why? What speaks for and against a category")).click()
    expect(page.get_by_role("heading", name=written("What the decision rests on"))).to_be_visible()


def choose_language(page: Page, name: str) -> None:
    page.get_by_role("radio", name=name).click()


def overflow(page: Page) -> int:
    """By how many pixels the page is wider than its window; Streamlit scrolls in an element of its own."""
    return page.evaluate(
        """Math.max(...[document.scrollingElement, document.querySelector('[data-testid=stMain]')]
           .map((element) => element.scrollWidth - element.clientWidth))"""
    )


def settled(page: Page) -> None:
    """Waits for the server to have nothing more to say."""
    expect(page.locator("[data-testid=stApp][data-test-script-state=notRunning]")).to_be_visible()


def test_from_a_picture_and_a_designation_to_the_reasons(visit):
    page = visit()
    expect(page.get_by_role("heading", level=1)).to_have_text(written("Classify a product"))
    expect(page.get_by_role("textbox", name="Désignation")).to_be_visible()

    upload(page, PICTURE)
    designation(page).fill(DESIGNATION)
    chart = page.get_by_test_id("stVegaLiteChart").first
    expect(page.get_by_text(written("Inputs used: {inputs}. Model: {version}.").split("{")[0])).to_contain_text(
        re.compile(rf"{written('the picture')}.*\(\d+ ")
    )
    code = first_code(page)
    expect(chart).to_contain_text(f"{code} · ")
    expect(chart).to_contain_text("%")

    open_why(page)
    expect(page.locator("mark").first).to_be_visible()
    expect(page.get_by_role("img", name=written("The picture as it was given"))).to_be_visible()
    if os.environ.get("RAYON_SCREENSHOT"):
        take_screenshot(page)

    choose_language(page, "English")
    expect(page.get_by_role("heading", level=1)).to_have_text("Classify a product")
    expect(designation(page, "en")).to_have_value(DESIGNATION)
    assert first_code(page, "en") == code
    choose_language(page, "Français")
    expect(page.get_by_role("heading", level=1)).to_have_text(written("Classify a product"))
    expect(designation(page)).to_have_value(DESIGNATION)
    assert first_code(page) == code


def test_a_visitor_sees_nothing_of_another(visit):
    first, second = visit(), visit()
    upload(first, PICTURE)
    designation(first).fill(DESIGNATION)
    first_code(first)
    for page in (second, visit()):
        expect(designation(page)).to_have_value("")
        expect(page.get_by_text(DESIGNATION)).to_have_count(0)
        expect(page.get_by_role("img", name=written("The picture to classify"))).to_have_count(0)


@pytest.mark.parametrize("width", [1280, 800])
def test_nothing_is_wider_than_the_window(visit, width):
    page = visit(width=width)
    expect(designation(page)).to_be_visible()
    settled(page)
    assert overflow(page) <= 0
    upload(page, PICTURE)
    designation(page).fill(DESIGNATION)
    first_code(page)
    open_why(page)
    settled(page)
    assert overflow(page) <= 0


def test_the_page_passes_its_own_health_check(server):
    with urllib.request.urlopen(f"{server}/_stcore/script-health-check", timeout=60) as answer:
        assert (answer.status, answer.read()) == (200, b"ok")


def take_screenshot(page: Page) -> None:
    settled(page)
    height = page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
    page.set_viewport_size({"width": 1280, "height": height})
    page.wait_for_timeout(1000)  # charts draw themselves again
    SCREENSHOT.parent.mkdir(exist_ok=True)
    page.screenshot(path=SCREENSHOT)
