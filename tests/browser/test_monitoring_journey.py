"""Somebody classifies, and the page that watches knows of it: in a real browser, in French."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.test_journey import designation, first_code, overflow, settled, written

pytestmark = pytest.mark.browser


def test_what_is_classified_is_counted(visit):
    page = visit()
    designation(page).fill("Piscine ronde autoportante")
    first_code(page)
    page.wait_for_timeout(6_000)  # counts are written every five seconds
    page.get_by_role("link", name=written("Monitoring")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(written("Monitoring"))
    settled(page)
    # Others of this server classified, too: which flag it is depends on how many that were.
    flags = "|".join(map(written, ("Too few to tell", "Stable", "Watch", "Drift")))
    expect(page.get_by_test_id("stAlert").first).to_contain_text(re.compile(flags))
    expect(page.get_by_text(re.compile(r"[1-9]\d* produits? en 30 jours"))).to_be_visible()
    expect(page.get_by_test_id("stVegaLiteChart").first).to_be_visible()
    assert overflow(page) <= 0

    page.get_by_role("radio", name=written("Programs")).click()
    settled(page)
    expect(page.get_by_test_id("stAlert").first).to_be_visible()
    expect(page.get_by_test_id("stException")).to_have_count(0)
