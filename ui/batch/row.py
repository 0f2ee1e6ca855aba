"""One row of a result, opened: the same answer and reasons as for a product typed in, and its original cells."""

from collections.abc import Sequence
from contextlib import suppress
from html import escape

import streamlit as st

from batch.results import Results
from model.product import Product
from model.reading import MAX_TEXT
from preprocessing.image import ImageError
from ui.batch.names import column_name, fate_name
from ui.decide.case import Origin
from ui.decide.panel import render_decision
from ui.explanation import render_explanation
from ui.language import _, number
from ui.model import classifier_or_stop, predict, shown_picture
from ui.result import render_result

PREFIX = "batch"
_PICTURE_WIDTH = 240
_STYLE = """<style>
.rayon-cells {margin: 0 !important; padding: 0 !important; overflow-wrap: anywhere;}
.rayon-cells dt {margin: 0; font-size: .8rem; opacity: .75;}
.rayon-cells dd {margin: 0 0 .6rem !important; max-height: 12rem; overflow-y: auto;
white-space: pre-wrap; unicode-bidi: isolate;}
</style>"""


def render_row(found: Results, row: int) -> None:
    """Everything about a row."""
    st.divider()
    st.subheader(_("Row {n}").format(n=number(row + 1)), anchor=False)
    cells = found.cells([row])[0]
    product = found.product(row)
    grid = st.grid(2, min_column_width=380, gap="large")
    with grid.cell():
        if product.image is None and found.pictures[row] not in ("", "used"):
            st.warning(_("Its picture was not used: {reason}.").format(reason=fate_name(found.pictures[row])))
        _render_picture(product)
        _render_cells(found, cells)
    with grid.cell():
        classifier = classifier_or_stop()
        if classifier.bundle.version != found.spec.model:
            st.warning(
                _("The file was classified by the model {then}; what stands here is the answer of {now}.").format(
                    then=found.spec.model, now=classifier.bundle.version
                )
            )
        prediction = predict(classifier, product)
        render_result(classifier, product, prediction, PREFIX)
        deciding = st.container()
    render_explanation(classifier, product, prediction, PREFIX)
    with deciding:
        origin = Origin("batch", found.job.id, found.job.about["name"], row)
        render_decision(PREFIX, product, prediction, classifier.taxonomy, origin)


def _render_picture(product: Product) -> None:
    if product.image is None:
        return
    with suppress(ImageError):  # said beside the answer
        st.image(shown_picture(product.image), width=_PICTURE_WIDTH, alt=_("The picture of this product"))


def _render_cells(found: Results, cells: Sequence[str]) -> None:
    """The row as it stands in the file; text, never markup."""
    lines = (
        f"<dt>{escape(column_name(name))}</dt><dd dir='auto'>{escape(_cut(cell)) or '–'}</dd>"
        for name, cell in zip(found.spec.header, cells, strict=True)
    )
    st.caption(_("As it stands in the file"))
    st.html(f"{_STYLE}<dl class='rayon-cells'>{''.join(lines)}</dl>")


def _cut(cell: str) -> str:
    return cell if len(cell) <= MAX_TEXT else f"{cell[:MAX_TEXT]}…"
