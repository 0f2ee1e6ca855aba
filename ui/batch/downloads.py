"""The result as files to take away; each is made when it is first asked for, and kept with the job."""

import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import streamlit as st

from batch.output import OutputError, write
from batch.results import Results
from decisions.audit import note
from decisions.errors import DecisionError
from decisions.store import DecisionStore, open_store
from ui.batch.cached import signature, taxonomy
from ui.batch.corrected import Decided, corrected, decided_on
from ui.batch.messages import output_message
from ui.decide.asking import ask
from ui.decide.errors import decision_message
from ui.language import N_, _, language, ngettext, number
from ui.sign_in.audited import person_here
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
    decided = _render_decided(found)
    download_words()
    # Filled by another thread, once a file could not be made; or once decisions were looked for.
    problems: dict[str, Exception] = st.session_state.setdefault(f"batch_problems_{found.job.id}", {})
    looked: dict[str, Decided] = st.session_state.setdefault(f"batch_looked_{found.job.id}", {})
    grid = st.grid(3, min_column_width=260)
    for offer in OFFERS:
        with grid.cell(), st.container(border=True, height="stretch", key=f"batch_offer_{offer.format}"):
            _render_offer(found, offer, problems, looked if decided else None)
    asked = st.session_state.get("batch_download_asked", False)
    st.fragment(_render_outcome, run_every=_LOOKS_SECONDS if asked else None)(problems, looked if decided else {})


def _render_decided(found: Results) -> bool:
    """Whether the files are to say what moderators decided; not asked while nobody has decided on anything."""
    try:
        states = ask(lambda store: store.states())
    except DecisionError as error:
        st.caption(" ".join([_("What moderators decided cannot be added at the moment."), decision_message(error)]))
        return False
    if not any(count for state, count in states.items() if state != "pending"):
        return False
    chosen = st.toggle(
        _("With what the moderators decided"), key=f"batch_decided_{found.job.id}", persist_state="session"
    )
    if chosen:
        st.caption(
            _(
                "Behind the other columns: the decision, the category decided on, and the final one: that, or else the "
                "model’s first. Nobody’s name. The submission has the final category. With pictures, the first "
                "file takes a while: each picture is read to know the product again."
            )
        )
    return chosen


def _render_offer(
    found: Results, offer: Offer, problems: dict[str, Exception], looked: dict[str, Decided] | None
) -> None:
    st.markdown(f"**{_(offer.title)}**")
    st.caption(_(offer.purpose))
    impossible = offer.format == "submission" and found.spec.columns.id is None
    if impossible:
        st.caption(output_message(OutputError("no_id")))
    st.download_button(
        _("Download"),
        data=_maker(found, offer, problems, looked),
        file_name=file_name(found.job.about["name"], offer.ending if looked is None else f"-decided{offer.ending}"),
        mime=offer.mime,
        key=f"batch_download_{offer.format}",
        icon=":material/download:",
        disabled=impossible,
        on_click=_note_asked,
    )


def _maker(
    found: Results, offer: Offer, problems: dict[str, Exception], looked: dict[str, Decided] | None = None
) -> Callable[[], BinaryIO]:
    """What makes the file, in a thread that knows no session: all it needs is read here.

    ``looked``: what was decided goes into the file, and is told here; None without it.
    """
    spoken, categories, person = language(), taxonomy(found.spec.bundle), person_here()
    spec = found.spec

    def put(parts: Iterable[pa.Table], path: Path, decided: bool) -> None:
        rest = (categories, spec.model, spoken, offer.format, path)
        write(parts, spec.header, spec.columns, *rest, rows=spec.rows, decided=decided)

    def plain() -> Path:
        path = found.job.folder / f"result-{offer.format}-{spoken}"
        if not path.exists():
            put(found.job.parts.all(), path, decided=False)
        return path

    def with_decisions(store: DecisionStore) -> Path:
        # The version is asked for first: what is decided meanwhile is in a file of the next.
        path = found.job.folder / f"result-{offer.format}-{spoken}-decided-{signature(store.version())}"
        if path.exists():
            return path
        decided = looked[offer.format] = decided_on(found, store)
        if not decided.rows:
            return plain()
        if decided.unseen:  # made anew each time: the pictures may be in reach again
            path = path.with_name(f"{path.name}-unseen")
        put(corrected(found, decided), path, decided=True)
        for old in path.parent.glob(f"result-{offer.format}-{spoken}-decided-*"):
            if old != path and "." not in old.name:  # not one that is being written
                with suppress(OSError):
                    old.unlink()
        return path

    def make() -> BinaryIO:
        problems.pop(offer.format, None)
        try:
            made = (plain() if looked is None else with_decisions(open_store())).open("rb")
            note(person, "job_downloaded", found.job.id, format=offer.format, decided=looked is not None)
            return made
        except (OutputError, OSError, DecisionError) as error:
            problems[offer.format] = error
            raise

    return make


def _render_outcome(problems: dict[str, Exception], looked: dict[str, Decided]) -> None:
    titles = {offer.format: _(offer.title) for offer in OFFERS}
    for format, decided in list(looked.items()):
        if format not in problems:
            _render_looked(titles[format], decided)
    for format, error in list(problems.items()):
        if isinstance(error, OutputError):
            message = output_message(error)
        elif isinstance(error, DecisionError):
            message = decision_message(error)
        else:
            message = _("The server could not write the file ({reason}).").format(reason=literal(str(error.strerror)))
        st.error(f"**{titles[format]}**: {message}")


def _render_looked(title: str, decided: Decided) -> None:
    if decided.rows:
        words = ngettext("{n} row has a decision.", "{n} rows have a decision.", decided.rows)
        st.caption(f"**{title}**: {words.format(n=number(decided.rows))}")
    else:
        none = _("No row of this file has a decision: the file is as it is without.")
        st.info(f"**{title}**: {none}")
    if decided.unseen:
        words = ngettext(
            "The picture of {n} row cannot be read any more: what was decided on the two together is not in the file.",
            "The pictures of {n} rows cannot be read any more: what was decided on both together is not in the file.",
            decided.unseen,
        )
        st.warning(f"**{title}**: {words.format(n=number(decided.unseen))}")


def file_name(name: str, ending: str) -> str:
    """What the browser calls the file: as the table was called, with nothing in it that could be a path."""
    base = re.split(r"[/\\]", name)[-1]
    stem = base.rpartition(".")[0] or base
    plain = re.sub(r'[\x00-\x1f\x7f<>:"|?*]', "", stem).strip(" .")[:_LONGEST_STEM]
    return f"{plain or 'products'}-rayon{ending}"


def _note_asked() -> None:
    st.session_state["batch_download_asked"] = True
