"""The language of a listing, estimated from its words: the challenge's data does not say it."""

import html
import re
from functools import cache
from importlib.metadata import version

from py3langid.langid import MODEL_FILE, LanguageIdentifier

from model.reading import ReadText

LANGUAGES = ("fr", "en", "de", "it", "es", "nl", "pt")
UNKNOWN = "unknown"
LANGUAGE_BY = f"py3langid {version('py3langid')}"
_WORDS = 3
# Chosen on the open corpus: three listings of four are told, and 96 % of these rightly; most others are names
# alone ("Funko Pop Harley Quinn"), which have no language to be told.
_SURE = 0.6
_HAS_LETTER = re.compile(r"[^\W\d_]")


def language_of(text: ReadText, designation: str, description: str) -> str:
    """One of `LANGUAGES`, `UNKNOWN` for texts of fewer than three words and those that do not tell."""
    words = _words(text, designation, description)
    if len(words) < _WORDS:
        return UNKNOWN
    language, probability = _identifier().classify(" ".join(words))
    return language if probability >= _SURE else UNKNOWN


def _words(text: ReadText, designation: str, description: str) -> list[str]:
    """The words as they were written, without markup."""
    raw = {"designation": designation, "description": description}
    written = (raw[field][token.start : token.end] for token, field in zip(text.tokens, text.fields, strict=True))
    return [html.unescape(word) for word in written if _HAS_LETTER.search(word)]


@cache
def _identifier() -> LanguageIdentifier:
    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(LANGUAGES)
    return identifier
