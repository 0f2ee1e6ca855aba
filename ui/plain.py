"""Pages of plain HTML, for what has to be said before, or instead of, Streamlit's pages."""

import base64
import hashlib
from functools import cache
from html import escape
from pathlib import Path

from starlette.requests import HTTPConnection

from ui.language import of_locale

ICON = "/favicon.png"
"""Streamlit's; without one named here a browser asks for another, which there is not."""
_LOGO = Path(__file__).parent / "assets" / "logo.svg"
_STYLE = """
:root {color-scheme: light dark; --accent: #0b7a6f; --text: #17211f; --page: #fff; --field: #f2f6f5; --line: #d5dfdd;
  --wrong: #a11f2c; --on: #fff;}
@media (prefers-color-scheme: dark) {:root {--accent: #4fd1c1; --text: #e6eeec; --page: #10171a; --field: #19242a;
  --line: #2d3b40; --wrong: #ff9aa2; --on: #10171a;}}
* {box-sizing: border-box;}
body {margin: 0; background: var(--page); color: var(--text); font: 1rem/1.5 "Source Sans 3", "Segoe UI", system-ui,
  sans-serif;}
main {max-width: 24rem; margin: 12vh auto 0; padding: 0 1rem;}
svg {height: 2.5rem; display: block; margin-bottom: 1.5rem;}
h1 {font-size: 1.45rem; font-weight: 650; margin: 0 0 1rem;}
label {display: block; margin: .9rem 0 .25rem;}
input {width: 100%; font: inherit; color: inherit; background: var(--field); border: 1px solid var(--line);
  border-radius: .6rem; padding: .55rem .75rem;}
input:focus-visible, button:focus-visible, a:focus-visible {outline: 2px solid var(--accent); outline-offset: 2px;}
button, .button {display: block; width: 100%; margin-top: 1.25rem; padding: .6rem; font: inherit; font-weight: 600;
  text-align: center; text-decoration: none; color: var(--on); background: var(--accent);
  border: 1px solid var(--accent); border-radius: .6rem; cursor: pointer;}
.button {color: var(--accent); background: none;}
.problem {color: var(--wrong); font-weight: 600; margin: 0;}
nav {margin-top: 2rem; font-size: .9rem;}
nav a {color: var(--accent); margin-right: 1rem;}
"""


def document(language: str, title: str, inside: str) -> str:
    """The whole page around ``inside``, which is HTML."""
    return (
        f'<!DOCTYPE html><html lang="{language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<link rel="icon" href="{ICON}">'
        f"<title>{escape(title)} · Rayon</title><style>{_STYLE}</style></head>"
        f"<body><main>{_logo()}{inside}</main></body></html>"
    )


def policy() -> str:
    """What a browser may do with the page: nothing but show it and send its form back."""
    digest = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src 'self'; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'"
    )


def accepted(request: HTTPConnection) -> str:
    """The language that a browser asks for first."""
    return of_locale(request.headers.get("accept-language", "").split(",")[0].split(";")[0].strip() or None)


@cache
def _logo() -> str:
    return _LOGO.read_text(encoding="utf-8")
