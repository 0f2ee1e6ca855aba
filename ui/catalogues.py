"""The translation catalogues: ``python -m ui.catalogues`` brings them up to date and compiles them.

New strings come out empty in ``ui/locale/fr/LC_MESSAGES/rayon.po``: write them there and run it again.
"""

import io
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from ui.language import DOMAIN, LANGUAGES, LOCALES

ROOT = Path(__file__).parents[1]
KEYWORDS = {"_": None, "N_": None, "ngettext": (1, 2)}


def sources() -> Iterator[Path]:
    """Every file that may hold strings for the user."""
    yield ROOT / "streamlit_app.py"
    yield from sorted((ROOT / "pages").rglob("*.py"))
    yield from sorted((ROOT / "ui").rglob("*.py"))


def extracted() -> Catalog:
    """The strings of the source, with where they stand."""
    template = Catalog()
    for path in sources():
        place = path.relative_to(ROOT).as_posix()
        for _line, message, comments, context in extract_from_file("python", path, keywords=KEYWORDS):
            # No line numbers: they would change the catalogue whenever the code moves.
            template.add(message, None, [(place, None)], auto_comments=comments, context=context)
    return template


def po_path(language: str) -> Path:
    """The catalogue that translators edit."""
    return LOCALES / language / "LC_MESSAGES" / f"{DOMAIN}.po"


def read(language: str) -> Catalog:
    """The catalogue of a language; an empty one when it has none yet."""
    path = po_path(language)
    if not path.exists():
        return Catalog(locale=language, project="Rayon", version="1", fuzzy=False)
    with path.open("rb") as file:
        return read_po(file, locale=language)


def compiled(catalogue: Catalog) -> bytes:
    """The ``.mo`` file that is read at run time."""
    buffer = io.BytesIO()
    write_mo(buffer, catalogue)
    return buffer.getvalue()


def update(language: str) -> int:
    """Brings one language up to date and compiles it; gives the number of strings without translation."""
    catalogue = read(language)
    catalogue.update(extracted(), no_fuzzy_matching=True, update_creation_date=False)
    catalogue.obsolete.clear()
    catalogue.header_comment = f"# Rayon, {language}. Refreshed by: python -m ui.catalogues"
    # Names, addresses and dates of work are what version control keeps.
    catalogue.msgid_bugs_address = catalogue.last_translator = catalogue.language_team = ""
    catalogue.revision_date = catalogue.creation_date
    if language == "en":  # the source is English
        for message in catalogue:
            if message.id:
                message.string = message.id
    path = po_path(language)
    path.parent.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()
    write_po(buffer, catalogue, width=110, sort_output=True, ignore_obsolete=True)
    path.write_bytes(buffer.getvalue())
    path.with_suffix(".mo").write_bytes(compiled(catalogue))
    return sum(1 for message in catalogue if message.id and not all(_forms(message.string)))


def _forms(string: str | tuple[str, ...]) -> tuple[str, ...]:
    return string if isinstance(string, tuple) else (string,)


def main() -> int:
    """Updates every language; fails when a string has no translation."""
    missing = {language: update(language) for language in LANGUAGES}
    for language, count in missing.items():
        print(f"{language}: {count} strings without translation")
    return 1 if any(missing.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
