"""The result as files to take away; each is made when it is first asked for, and kept with the job."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

import streamlit as st

from batch.output import OutputError, write
from batch.results import Results
from ui.batch.cached import taxonomy
from ui.batch.messages import output_message
from ui.language import N_, _, language
from ui.style import download_words, literal

_LOOKS_SECONDS = 2
_LONGEST_STEM = 100


@dataclass(frozen=True, slots=True)
class Offer:
    """A format, what it is for, and how its file ends."""

    format: str
    title: str
    purpose: str
    ending: str
    mime: str


OFFERS = (
    Offer("csv", "CSV", N_("For programs: UTF-8, commas."), ".csv", "text/csv"),
    Offer(
        "csv-excel", N_("CSV for Excel"), N_("Opens with a double click: semicolons, accents kept."), ".csv", "text/csv"
    ),
    Offer(
        "xlsx",
        N_("Workbook (XLSX)"),
        N_("For Excel and LibreOffice."),
        ".xlsx",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ),
    Offer("parquet", "Parquet", N_("For large tables and data tools."), ".parquet", "application/vnd.apache.parquet"),
    Offer("submission", N_("Challenge submission"), N_("Identifier and code alone."), "-submission.csv", "text/csv"),
)


def render_downloads(found: Results) -> None:
    """A card for each format."""
    st.caption(
        _(
            "Your columns as they were, then the three likeliest categories with their confidence; in the challenge's "
            "submission, nothing but what it asks for."
        )
    )
    download_words()
    # Filled by another thread, once a file could not be made.
    problems: dict[str, Exception] = st.session_state.setdefault(f"batch_problems_{found.job.id}", {})
    grid = st.grid(3, min_column_width=260)
    for offer in OFFERS:
        with grid.cell(), st.container(border=True, height="stretch", key=f"batch_offer_{offer.format}"):
            _render_offer(found, offer, problems)
    asked = st.session_state.get("batch_download_asked", False)
    st.fragment(_render_problems, run_every=_LOOKS_SECONDS if asked else None)(problems)


def _render_offer(found: Results, offer: Offer, problems: dict[str, Exception]) -> None:
    st.markdown(f"**{_(offer.title)}**")
    st.caption(_(offer.purpose))
    impossible = offer.format == "submission" and found.spec.columns.id is None
    if impossible:
        st.caption(output_message(OutputError("no_id")))
    st.download_button(
        _("Download"),
        data=_maker(found, offer, problems),
        file_name=file_name(found.job.about["name"], offer.ending),
        mime=offer.mime,
        key=f"batch_download_{offer.format}",
        icon=":material/download:",
        disabled=impossible,
        on_click=_note_asked,
    )


def _maker(found: Results, offer: Offer, problems: dict[str, Exception]) -> Callable[[], BinaryIO]:
    """What makes the file, in a thread that knows no session: all it needs is read here."""
    spoken, categories = language(), taxonomy(found.spec.bundle)

    def make() -> BinaryIO:
        problems.pop(offer.format, None)
        path = found.job.folder / f"result-{offer.format}-{spoken}"
        try:
            if not path.exists():
                spec = found.spec
                rest = (categories, spec.model, spoken, offer.format, path)
                write(found.job.parts.all(), spec.header, spec.columns, *rest, rows=spec.rows)
            return path.open("rb")
        except (OutputError, OSError) as error:
            problems[offer.format] = error
            raise

    return make


def _render_problems(problems: dict[str, Exception]) -> None:
    titles = {offer.format: _(offer.title) for offer in OFFERS}
    for format, error in list(problems.items()):
        if isinstance(error, OutputError):
            message = output_message(error)
        else:
            message = _("The server could not write the file ({reason}).").format(reason=literal(str(error.strerror)))
        st.error(f"**{titles[format]}**: {message}")


def file_name(name: str, ending: str) -> str:
    """What the browser calls the file: as the table was called, with nothing in it that could be a path."""
    base = re.split(r"[/\\]", name)[-1]
    stem = base.rpartition(".")[0] or base
    plain = re.sub(r'[\x00-\x1f\x7f<>:"|?*]', "", stem).strip(" .")[:_LONGEST_STEM]
    return f"{plain or 'products'}-rayon{ending}"


def _note_asked() -> None:
    st.session_state["batch_download_asked"] = True
