"""The user's text with its words marked for and against, as HTML in which nothing of theirs can run."""

from collections.abc import Sequence
from html import escape

from model.product import WordContribution
from model.reading import MAX_TEXT
from ui.language import _, signed
from ui.style import DIRECTION_MARKS

FAINT = 0.05
"""Words with less than this share of the strongest one's weight are left unmarked."""
# Blue and orange stay apart for the colour-blind; the underline and the sign say it without colour.
STYLE = """<style>
.words {line-height: 2.1; overflow-wrap: anywhere; white-space: pre-wrap;}
.words mark {color: inherit; padding: .1em .2em; border-radius: .25em; text-underline-offset: .28em;}
.words mark.for {text-decoration: underline solid 2px #2f81c7;}
.words mark.against {text-decoration: underline wavy 2px #d9731a;}
.words sup {font-weight: 700; padding-left: .1em;}
</style>"""
_COLOURS = {"for": "47, 129, 199", "against": "217, 115, 26"}


def highlighted(text: str, words: Sequence[WordContribution], strongest: float) -> str:
    """One field, as far as it is read, with its words marked. ``strongest``: the weight of the full colour."""
    parts, done = [], 0
    for start, end, members in _spans(words):
        parts.append(escape(text[done:start]))
        parts.append(_marked(text[start:end], members, strongest))
        done = end
    parts.append(escape(text[done:MAX_TEXT]) + ("…" if len(text) > MAX_TEXT else ""))
    return f'<div class="words">{"".join(parts).translate(DIRECTION_MARKS)}</div>'


def legend() -> str:
    """What the marks mean."""
    speaks_for = _mark(escape(_("speaks for it")), "for", 0.6, "")
    speaks_against = _mark(escape(_("speaks against it")), "against", 0.6, "")
    return f'<div class="words">{speaks_for} &nbsp; {speaks_against}</div>'


def strength(words: Sequence[WordContribution]) -> float:
    """The largest weight among the words; 0 when none has any."""
    return max((abs(word.total) for word in words), default=0.0)


def _spans(words: Sequence[WordContribution]) -> list[tuple[int, int, list[WordContribution]]]:
    """Places in order, none overlapping: one character such as "½" can hold two words."""
    spans: list[tuple[int, int, list[WordContribution]]] = []
    for word in sorted(words, key=lambda word: (word.start, word.end)):
        if spans and word.start < spans[-1][1]:
            start, end, members = spans.pop()
            spans.append((start, max(end, word.end), [*members, word]))
        else:
            spans.append((word.start, word.end, [word]))
    return spans


def _marked(raw: str, members: list[WordContribution], strongest: float) -> str:
    total = sum(word.total for word in members)
    title = _("{total}: the words themselves {lexical}, their meaning {semantic}").format(
        total=signed(total),
        lexical=signed(sum(word.lexical for word in members)),
        semantic=signed(sum(word.semantic for word in members)),
    )
    share = abs(total) / strongest if strongest else 0.0
    if share < FAINT:
        return f'<span title="{escape(title)}">{escape(raw)}</span>'
    return _mark(escape(raw), "for" if total > 0 else "against", share, escape(title))


def _mark(content: str, side: str, share: float, title: str) -> str:
    alpha = 0.08 + 0.42 * min(1.0, share)
    sign = "+" if side == "for" else "−"
    return (
        f'<mark class="{side}" style="background: rgba({_COLOURS[side]}, {alpha:.2f})" title="{title}">'
        f"{content}<sup>{sign}</sup></mark>"
    )
