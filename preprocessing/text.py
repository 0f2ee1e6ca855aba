"""Folding and tokenisation that never lose the place in what the user typed."""

import html
import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from html.entities import html5
from pathlib import Path

from preprocessing.nltk_alone import RegexpTokenizer, nltk, stopwords

NLTK_DATA = Path(__file__).parent / "nltk_data"

# Spaces and markup. Markup is looked for in folded text, so that escaped tags ("&lt;br&gt;") go too. Script and
# style elements go with their content; a "<" that opens no tag is text ("< 3 ans").
_GAP = re.compile(
    r"(?: |<(script|style)\b[^>]*>.*?</\1\s*>|<!--.*?-->"
    r"|</?[a-z](?:\"[^\"<>]{0,500}(?:>[^\"<>]{0,500})?\"|'[^'<>]{0,500}(?:>[^'<>]{0,500})?'|[^<>\"'])*>)+",
    re.DOTALL,
)
_ENTITY = re.compile(r"&(?:amp;)*(#\d{1,7};?|#[xX][0-9a-fA-F]{1,6};?|[a-zA-Z][a-zA-Z0-9]{1,31};?)")
# Letters that Unicode does not decompose but that readers take for their base letters.
_LIGATURES = str.maketrans(
    {"œ": "oe", "æ": "ae", "ß": "ss", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i", "’": "'"}
)
_WORDS = RegexpTokenizer(r"[^\W_]+")
_DIGIT = re.compile(r"\d")


@dataclass(frozen=True, slots=True)
class Token:
    """A folded word and where it stands: ``raw[start:end]`` is what the user typed."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class FoldedText:
    """Folded text; character ``i`` of it comes from ``raw[starts[i]:ends[i]]``."""

    text: str
    starts: list[int]
    ends: list[int]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The raw span (start, end) behind the folded span; folded spans must not be empty."""
        return self.starts[start], self.ends[end - 1]


@lru_cache(maxsize=20_000)
def fold_character(character: str) -> str:
    """One character in lower case without accents: "É" gives "e", a lone accent gives ""."""
    decomposed = unicodedata.normalize("NFKD", character.lower().translate(_LIGATURES))
    kept = "".join(c for c in decomposed if not unicodedata.combining(c)).lower().translate(_LIGATURES)
    # Invisible marks (soft hyphen, zero width, text direction) stand inside words; other controls between them.
    categories = ((c, unicodedata.category(c)) for c in kept if unicodedata.category(c) != "Cf")
    return "".join(" " if c.isspace() or category[0] == "C" else c for c, category in categories)


def fold(raw: str) -> FoldedText:
    """HTML and entities out, Unicode folded, runs of space made one, offsets kept."""
    text, starts, ends = _decoded(raw)
    kept: list[str] = []
    kept_starts: list[int] = []
    kept_ends: list[int] = []
    done = 0
    for gap in _GAP.finditer(text):
        start, end = gap.span()
        kept.append(text[done:start])
        kept_starts += starts[done:start]
        kept_ends += ends[done:start]
        if kept_starts and end < len(text):
            kept.append(" ")
            kept_starts.append(starts[start])
            kept_ends.append(ends[end - 1])
        done = end
    return FoldedText("".join([*kept, text[done:]]), kept_starts + starts[done:], kept_ends + ends[done:])


def _decoded(raw: str) -> tuple[str, list[int], list[int]]:
    """Folded characters with entities resolved, and the raw offsets of each."""
    text: list[str] = []
    starts: list[int] = []
    ends: list[int] = []

    def add(folded: str, start: int, end: int) -> None:
        if not folded and ends and start == ends[-1]:
            ends[-1] = end  # a combining accent or an invisible mark belongs to the letter before it
        text.extend(folded)
        starts.extend([start] * len(folded))
        ends.extend([end] * len(folded))

    def add_plain(start: int, end: int) -> None:
        """Characters that are no entities."""
        folded = list(map(fold_character, raw[start:end]))
        if set(map(len, folded)) <= {1}:  # all at once: most of the speed, for text is nearly always so
            text.extend(folded)
            starts.extend(range(start, end))
            ends.extend(range(start + 1, end + 1))
            return
        for position, character in enumerate(folded, start):
            add(character, position, position + 1)

    done = 0
    for match in (*_ENTITY.finditer(raw), None):
        add_plain(done, match.start() if match else len(raw))
        if match is None:
            break
        done = match.end()
        name = match[1]
        if name[0] == "#" or name in html5:
            add("".join(map(fold_character, html.unescape(f"&{name}"))), match.start(), done)
        else:  # no entity: an ampersand in the text
            add_plain(match.start(), done)
    return "".join(text), starts, ends


def tokenize(raw: str) -> list[Token]:
    """Words of the folded text (NLTK ``RegexpTokenizer``), each with its offsets in ``raw``."""
    return tokenize_folded(fold(raw))


def tokenize_folded(folded: FoldedText) -> list[Token]:
    """As `tokenize`, from text that is folded already."""
    return [Token(folded.text[start:end], *folded.span(start, end)) for start, end in _WORDS.span_tokenize(folded.text)]


def mask_digits(word: str) -> str:
    """Digits to 0, so that "45x45" and "30x30" are one word: sizes and references say more as shapes."""
    return _DIGIT.sub("0", word)


@lru_cache(maxsize=1)
def stop_words() -> frozenset[str]:
    """French stop words, folded, from the list shipped in ``nltk_data`` (no download)."""
    if str(NLTK_DATA) not in nltk.data.path:  # NLTK reads only below its data path
        nltk.data.path.insert(0, str(NLTK_DATA))
    return frozenset(fold(word).text for word in stopwords.words("french"))


def content_words(tokens: list[Token]) -> list[Token]:
    """Tokens that say something: no stop word, no lone letter, no bare number."""
    return [t for t in tokens if len(t.text) > 1 and not t.text.isdigit() and t.text not in stop_words()]
