"""The network as a drawing, made from the network that answers, and the same in a table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from ui.card.report import section, whole
from ui.card.words import BRANCHES, DASH, count, named
from ui.language import _, listed, ngettext, number

if TYPE_CHECKING:
    from model.architecture import Architecture, Branch, Shape, Step
    from model.loading import LoadedBundle

_OWN_SIZE = "n"
"""Stands for a size that is that of the input."""
_HELPERS = ("Normalization", "Scale")
"""Kinds of layers that the table names and the drawing, where there are others, does not."""
# The drawing takes the ink of the page's text, so that it follows the theme.
_STYLE = """<style>
.st-key-card_graph {overflow-x: auto;}
.st-key-card_graph svg {min-width: 620px; height: auto;}
.st-key-card_graph svg text {fill: currentColor; stroke: none;}
.st-key-card_graph svg :is(path, polygon) {stroke: currentColor; stroke-opacity: .45;}
.st-key-card_graph svg .edge polygon {fill: currentColor; fill-opacity: .45;}
</style>"""


def render_architecture(bundle: LoadedBundle) -> None:
    """The drawing, its sentence, its table, and the bundle's size on disk."""
    drawn = _architecture(bundle.version, bundle)
    words = in_words(drawn)
    st.subheader(_("How it is built"), anchor=False)
    st.markdown(words)
    st.caption(
        _(
            "Drawn from the loaded network itself. Layers of one size are one box, with the size of what goes out; "
            "n is the length of the text."
        )
    )
    st.html(_STYLE)
    with st.container(key="card_graph"):
        st.graphviz_chart(dot(drawn), width="content", alt=words)
    st.dataframe(
        layer_table(drawn),
        hide_index=True,
        width="stretch",
        height="content",
        key="card_grid_layers",
        alt=_("The layers of the network, as drawn above"),
        column_config={
            "branch": st.column_config.TextColumn(_("Branch"), width=150),
            "layers": st.column_config.TextColumn(_("Layers"), width=380),
            "shape": st.column_config.TextColumn(_("What goes out"), width=130),
            "parameters": st.column_config.NumberColumn(_("Parameters"), format="localized", width=110),
            "names": st.column_config.TextColumn(_("Names"), width=380),
        },
    )
    st.caption(on_disk(bundle.manifest))


def in_words(drawn: Architecture) -> str:
    """What the drawing shows."""
    branches = [
        ngettext(
            "{name} ({n} layer, {parameters} parameters)", "{name} ({n} layers, {parameters} parameters)", b.layers
        ).format(name=named(BRANCHES, b.name), n=number(b.layers), parameters=number(b.parameters))
        for b in drawn.branches
    ]
    sentence = ngettext(
        "{n} branch, added up to one score for each category: {branches}. In all {parameters} parameters.",
        "{n} branches, added up to one score for each category: {branches}. In all {parameters} parameters.",
        len(branches),
    )
    return sentence.format(n=number(len(branches)), branches=listed(branches), parameters=number(drawn.parameters))


def dot(drawn: Architecture) -> str:
    """The drawing in Graphviz's language: a column for each branch, which meet in the sum."""
    lines = [
        "digraph network {",
        'graph [bgcolor="transparent", rankdir=TB, ranksep=0.3, nodesep=0.25, fontname="sans-serif", fontsize=13]',
        'node [shape=box, style=rounded, fontname="sans-serif", fontsize=12, margin="0.12,0.06"]',
        "edge [arrowsize=0.6]",
    ]
    ends = []
    for place, branch in enumerate(drawn.branches):
        lines += _column(branch, place)
        ends.append(_node(branch.steps[-1]) if branch.steps else _inputs_node(branch))
    for step in drawn.joint:
        lines.append(f"{_node(step)} [label={_quoted(_label(step))}]")
        lines += [f"{end} -> {_node(step)}" for end in ends]
        ends = [_node(step)]
    return "\n".join([*lines, "}"])


def layer_table(drawn: Architecture) -> pd.DataFrame:
    """One line for each box of the drawing."""
    steps = [(named(BRANCHES, branch.name), step) for branch in drawn.branches for step in branch.steps]
    steps += [(_("All together"), step) for step in drawn.joint]
    return pd.DataFrame(
        {
            "branch": [branch for branch, _step in steps],
            "layers": [", ".join(_kinds(step)) for _branch, step in steps],
            "shape": [_size(step.shape) for _branch, step in steps],
            "parameters": [step.parameters for _branch, step in steps],
            "names": [", ".join(step.names) for _branch, step in steps],
        }
    )


def on_disk(manifest: dict[str, Any]) -> str:
    """The files of the bundle and their sizes."""
    sizes = {name: whole(section(entry).get("bytes")) for name, entry in section(manifest.get("files")).items()}
    if not sizes or None in sizes.values():
        return _("Size on disk: {size}.").format(size=DASH)
    largest = sorted(sizes, key=sizes.get, reverse=True)
    return _("Size on disk: {size}. Of these: {files}.").format(
        size=_megabytes(sum(sizes.values())),
        files=listed([f"{name} ({_megabytes(sizes[name])})" for name in largest if sizes[name] >= 50_000]),
    )


@st.cache_resource(show_spinner=False, max_entries=4)
def _architecture(version: str, _bundle: LoadedBundle) -> Architecture:
    from model.architecture import describe  # TensorFlow is here by now

    return describe(_bundle.network.whole)


def _column(branch: Branch, place: int) -> Iterator[str]:
    title = f"{named(BRANCHES, branch.name)}\n{_parameters(branch.parameters)}"
    yield f"subgraph cluster_{place} {{ label={_quoted(title)}; style=rounded; margin=10"
    inputs = "\n".join(f"{name}: {_size(shape)}" for name, shape in branch.inputs)
    before = _inputs_node(branch)
    yield f"{before} [label={_quoted(inputs)}, shape=plaintext]"
    for step in branch.steps:
        yield f"{_node(step)} [label={_quoted(_label(step))}]"
        yield f"{before} -> {_node(step)}"
        before = _node(step)
    yield "}"


# The browser shows the name of a box when it is pointed at: the layers' own names say most.


def _node(step: Step) -> str:
    return _quoted(step.names[0] if len(step.names) == 1 else f"{step.names[0]} … {step.names[-1]}")


def _inputs_node(branch: Branch) -> str:
    return _quoted(f"{branch.name}: {', '.join(name for name, _shape in branch.inputs)}")


def _label(step: Step) -> str:
    shown = [kind for kind in _kinds(step) if not any(helper in kind for helper in _HELPERS)] or _kinds(step)
    parameters = [_parameters(step.parameters)] if step.parameters else []
    return "\n".join([*shown, _size(step.shape), *parameters])


def _kinds(step: Step) -> list[str]:
    return [kind if n == 1 else f"{kind} × {number(n)}" for kind, n in step.kinds]


def _parameters(n: int) -> str:
    return ngettext("{n} parameter", "{n} parameters", n).format(n=count(n))


def _size(shape: Shape) -> str:
    return " × ".join(_OWN_SIZE if side is None else number(side) for side in shape)


def _megabytes(size: int) -> str:
    return _("{n} MB").format(n=number(size / 1e6, 1))


def _quoted(text: str) -> str:
    """A string of Graphviz; no character of it can end it."""
    inside = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{inside}"'
