"""Decisions to take away: filtered, written into a file on a click, offered for download."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import streamlit as st

from decisions.export import FORMATS, PEOPLE, Exported, ExportError, ExportFilter, export
from decisions.items import STATES
from decisions.store import DecisionStore
from model.taxonomy import Taxonomy, default_taxonomy
from ui.batch.cached import signature
from ui.batch.choice import choose
from ui.decide.names import category_of, state_name
from ui.language import N_, _, date_pattern, language, ngettext, number
from ui.review.kept import PREPARED, discard, render_kept, short, size
from ui.sign_in.audited import noted
from ui.sign_in.visitor import may
from ui.style import download_words, literal
from ui.zone import zone

__all__ = ["render_export", "render_kept"]

_DAYS = (1, 7, 30, 90)
_FORMATS = {"csv": "CSV", "parquet": "Parquet"}
_PEOPLE = {"names": N_("as they are"), "ids": N_("replaced by ids")}
_MIMES = {".csv": "text/csv", ".parquet": "application/vnd.apache.parquet", ".zip": "application/zip"}

assert tuple(_FORMATS) == FORMATS and tuple(_PEOPLE) == PEOPLE


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A file that waits to be downloaded. ``chosen``: what it was made by; ``folder``: deletes it with the session."""

    chosen: tuple
    folder: tempfile.TemporaryDirectory
    path: Path
    exported: Exported


def render_export(store: DecisionStore, labels: Taxonomy | None = None) -> None:
    """The filters, the file made on a click, and how models learn from it. ``labels``: of the model in use."""
    categories = labels or default_taxonomy()
    st.subheader(_("Take decisions away"), anchor=False)
    st.markdown(_("Every decision with its product, what the model suggested, who decided and when."))
    chosen = {**_render_filters(store, categories), **_render_form()}
    if st.button(_("Prepare the file"), key="review_taking_prepare", type="primary"):
        with st.spinner(_("Writing the file…")):
            _prepare(store, chosen, categories)
    _render_prepared(tuple(chosen.items()))
    st.caption(
        _(
            "`python -m model adapt --decisions FILE --out FOLDER` improves the model in use by it, from a few hundred "
            "decisions on; `python -m model train --data FILE --out FOLDER` trains a new one. Unpack a ZIP first: the "
            "pictures are found beside the table."
        )
    )


def _render_filters(store: DecisionStore, labels: Taxonomy) -> dict[str, Any]:
    with st.container(horizontal=True, vertical_alignment="bottom", key="review_taking_filters"):
        span = choose(_("When decided"), [None, *_DAYS, "between"], _span_name, key="review_taking_span")
        first = last = None
        if span == "between":
            today = datetime.now(zone()).date()
            first = st.date_input(
                _("From"), today - timedelta(days=30), key="review_taking_first", format=date_pattern(), width=160
            )
            last = st.date_input(
                _("Until the end of"), today, key="review_taking_last", format=date_pattern(), width=160
            )
        job = _job_box(store.jobs())
        category = choose(
            _("Category decided on"),
            [None, *labels.codes],
            lambda code: category_of(labels, code) if code else _("All"),
            key="review_taking_category",
        )
        state = choose(
            _("State"), [None, *STATES], lambda state: state_name(state) if state else _("All"), "review_taking_state"
        )
    return {"span": span, "first": first, "last": last, "job": job, "category": category, "state": state}


def _job_box(jobs: Mapping[str, str]) -> str | None:
    # A box of its own for each list: the browser knows an option by its place.
    key = f"review_taking_job_{signature(list(jobs))}"
    kept = st.session_state.get("review_taking_job")
    job = choose(_("File"), [None, *jobs], lambda job: short(jobs[job]) if job else _("All"), key, default=kept)
    st.session_state["review_taking_job"] = job
    return job


def _render_form() -> dict[str, Any]:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="large", key="review_taking_form"):
        format = st.segmented_control(
            _("Format"), FORMATS, format_func=_FORMATS.__getitem__, default="csv", required=True,
            key="review_taking_format", persist_state="session",
        )  # fmt: skip
        people = _people_choice()
        pictures = st.toggle(_("With the pictures, as a ZIP"), key="review_taking_pictures", persist_state="session")
    if not may("export_names"):
        st.caption(_("Names of people are replaced by ids: an administrator may take them away as they are."))
    if people == "ids":
        st.caption(_("Notes are left as they were written: look through them for names before you pass the file on."))
    return {"format": format, "people": people, "pictures": pictures, "language": language()}


def _people_choice() -> str:
    """How the names of who decided are given; whoever may not have them is not asked."""
    if not may("export_names"):
        return "ids"
    return st.segmented_control(
        _("Names of people"), PEOPLE, format_func=lambda way: _(_PEOPLE[way]), default="names", required=True,
        key="review_taking_people", persist_state="session",
    )  # fmt: skip


def _prepare(store: DecisionStore, chosen: dict[str, Any], labels: Taxonomy) -> None:
    discard()
    where = ExportFilter(
        *_moments(chosen["span"], chosen["first"], chosen["last"]),
        job=chosen["job"],
        category=chosen["category"],
        state=chosen["state"],
    )
    ending = "zip" if chosen["pictures"] else chosen["format"]
    rest = (chosen["format"], chosen["pictures"], chosen["people"], chosen["language"], labels)
    try:
        folder = tempfile.TemporaryDirectory(prefix="rayon-decisions-")
        path = Path(folder.name) / f"decisions.{ending}"
        exported = export(store, path, where, *rest)
    except (ExportError, OSError) as error:
        reason = error.details["error"] if isinstance(error, ExportError) else error.strerror
        st.error(_("The server could not write the file ({reason}).").format(reason=literal(str(reason))))
        return
    told = {"decisions": exported.decisions, "products": exported.products, "pictures": exported.pictures}
    noted("exported", "decisions", people=chosen["people"], **told)
    st.session_state[PREPARED] = _Prepared(tuple(chosen.items()), folder, path, exported)


def _render_prepared(chosen: tuple) -> None:
    """The file, as long as it is the one that the filters ask for."""
    prepared: _Prepared | None = st.session_state.get(PREPARED)
    if prepared is None:
        return
    if prepared.chosen != chosen:
        st.info(_("You have changed what you want since: prepare the file again."))
        return
    exported, path = prepared.exported, prepared.path
    if not exported.decisions:
        st.info(_("No decision passes these filters."))
        return
    download_words()
    with st.container(border=True, horizontal=True, vertical_alignment="center", gap="medium"):
        st.download_button(
            _("Download {name} ({size})").format(name=path.name, size=size(path.stat().st_size)),
            data=lambda: path.open("rb"),
            file_name=f"rayon-{path.name}",
            mime=_MIMES[path.suffix],
            key="review_taking_download",
            icon=":material/download:",
            on_click="ignore",
        )
        st.markdown(_in_words(exported), width="stretch")


def _in_words(exported: Exported) -> str:
    products = ngettext("on {n} product", "on {n} products", exported.products)
    words = [
        ngettext("{n} decision {products}.", "{n} decisions {products}.", exported.decisions).format(
            n=number(exported.decisions), products=products.format(n=number(exported.products))
        )
    ]
    if exported.pictures:
        words.append(
            ngettext("{n} picture is with them.", "{n} pictures are with them.", exported.pictures).format(
                n=number(exported.pictures)
            )
        )
    if exported.missing:
        words.append(
            ngettext(
                "{n} picture is not in the store any more.", "{n} pictures are not in the store any more.",
                exported.missing,
            ).format(n=number(exported.missing))
        )  # fmt: skip
    if exported.cut:
        words.append(
            ngettext(
                "{n} text was too long for a table and is cut.", "{n} texts were too long for a table and are cut.",
                exported.cut,
            ).format(n=number(exported.cut))
        )  # fmt: skip
    return " ".join(words)


def _moments(span: int | str | None, first: date | None, last: date | None) -> tuple[datetime | None, datetime | None]:
    """From when, and until before when, the decisions are wanted."""
    if isinstance(span, int):
        return datetime.now(UTC) - timedelta(days=span), None
    until = None if last is None else last + timedelta(days=1)
    begin, end = (None if day is None else datetime.combine(day, time(), zone()) for day in (first, until))
    return begin, end


def _span_name(span: int | str | None) -> str:
    if span is None:
        return _("At any time")
    if span == "between":
        return _("Between two days")
    return ngettext("In the last {n} day", "In the last {n} days", span).format(n=number(span))
