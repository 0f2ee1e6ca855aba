"""The few style rules that the theme cannot express."""

import json
import re
from html import escape

import streamlit as st

from ui.language import _

_RULES = """
.stMainBlockContainer {max-width: 1280px;}
.st-key-app_header h1 {padding: 0;}
[class*="st-key-browser_"] {position: absolute;}
/* Their buttons speak English and double the stops of the tab key. */
[data-testid="stElementContainer"]:is(
  :has([data-testid="stVegaLiteChart"]), :has([data-testid="stImage"]), [class*="st-key-batch_grid"]
)
[data-testid="stElementToolbar"], [class*="st-key-admin_grid"] [data-testid="stElementToolbar"] {display: none;}
.rayon-eyebrow {font-size: .8rem; letter-spacing: .04em; opacity: .75; margin: 0;}
.rayon-answer {font-size: 1.55rem; line-height: 1.25; font-weight: 650; margin: .1rem 0 .2rem;}
.rayon-scope {font-size: .9rem; opacity: .8; margin: 0;}
a.rayon-sign-in {display: inline-block; padding: .4rem 1rem; border-radius: .6rem; font-weight: 600;
  color: #fff; background: #0b7a6f; text-decoration: none;}
"""


# Marks that turn the direction of what follows: the reader must see the words in the order they stand in.
DIRECTION_MARKS = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C])


# Addresses of pages become links whatever is escaped in them, unless something nobody sees stands in their midst.
# Those of people are left alone: names are such, and are copied.
_JOINER = "\u2060"
_AUTOLINK = re.compile(r"(?:https?|ftp)://(?=\S)|\bwww(?=\.)", re.IGNORECASE)


def apply_style() -> None:
    """Adds the rules to the page."""
    st.html(f"<style>{_RULES}</style>")


def heading(eyebrow: str, answer: str, below: str) -> None:
    """A large line between two small ones; all three are text, never markup."""
    st.html(
        f'<p class="rayon-eyebrow">{escape(eyebrow)}</p><p class="rayon-answer">{escape(answer)}</p>'
        f'<p class="rayon-scope">{escape(below)}</p>'
    )


def literal(text: str) -> str:
    """Text in which Markdown finds nothing to do, on one line and in one direction; no page's address is a link."""
    plain = _AUTOLINK.sub(rf"\g<0>{_JOINER}", " ".join(text.translate(DIRECTION_MARKS).split()))
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", plain)


def upload_words(zone: str, hint: str) -> None:
    """What the upload field in the container ``zone`` says.

    Streamlit has no translation of its own words: they are hidden, ours stand in their place.
    """
    field = f".st-key-{zone}"
    instructions = f'{field} [data-testid="stFileUploaderDropzoneInstructions"]'
    button = f'{field} [data-testid="stFileUploaderDropzone"] button'
    choose = _quoted(_("Choose a file"))
    st.html(
        f"<style>{instructions} {{font-size: 0;}} {instructions} * {{font-size: 0;}}"
        f"{instructions}::after {{font-size: .875rem; content: {_quoted(hint)};}}"
        f"{button} p {{font-size: 0;}} {button} p::after {{font-size: 1rem; content: {choose};}}"
        "</style>"
    )


def download_words() -> None:
    """What a download button says when its file could not be made."""
    error, words = '[data-testid="stDownloadButtonError"]', _quoted(_("The file could not be made: see below."))
    st.html(
        f"<style>{error}, {error} * {{font-size: 0;}}{error}::after {{font-size: .875rem; content: {words};}}</style>"
    )


def _quoted(text: str) -> str:
    """A CSS string; no character of it can end the string or the style element."""
    return json.dumps(text, ensure_ascii=False).replace("<", "\\3c ")
