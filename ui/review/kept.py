"""What is kept of products: told month by month, and deleted by age."""

from datetime import timedelta

import pandas as pd
import streamlit as st

from decisions.privacy import Kept, Purged, kept, purge, purgeable
from decisions.store import DecisionStore
from ui.language import _, ngettext, number
from ui.sign_in.audited import noted
from ui.sign_in.visitor import may

PREPARED = "review_taking_prepared"
"""Where the session has a file that waits to be downloaded: it may hold what is deleted here."""
_PURGED, _ROUND = "review_kept_purged", "review_kept_round"
_USUAL_AGE, _OLDEST_AGE = 180, 3650
"""Days."""
_LONGEST = 60


def render_kept(store: DecisionStore) -> None:
    """What is kept of products, month by month, and the way to delete what is old."""
    st.subheader(_("What is kept"), anchor=False)
    st.markdown(
        _(
            "Texts and pictures of the products in the queue are kept until they are deleted here, or by "
            "`python -m decisions purge`."
        )
    )
    _render_purged()
    with st.spinner(_("Counting…")):
        groups = kept(store)
    if not groups:
        st.info(_("Nothing is kept."))
        return
    _render_groups(groups)
    if may("purge"):
        _render_purge(store)
    else:
        st.caption(_("Only an administrator may delete it."))


def _render_groups(groups: list[Kept]) -> None:
    with st.container(horizontal=True, gap="large"):
        st.metric(_("Products"), number(sum(group.products for group in groups)), width="content")
        st.metric(_("Pictures"), number(sum(group.pictures for group in groups)), width="content")
        st.metric(_("Size of the pictures"), size(sum(group.bytes for group in groups)), width="content")
        st.metric(_("Characters of text"), number(sum(group.characters for group in groups)), width="content")
    table = pd.DataFrame(
        {
            "month": [group.month for group in groups],
            "job": [_group_name(group) for group in groups],
            "products": [group.products for group in groups],
            "characters": [group.characters for group in groups],
            "pictures": [group.pictures for group in groups],
            "size": [group.bytes / 1e6 for group in groups],
        }
    )
    columns = {
        "month": st.column_config.TextColumn(_("Month"), width=90, help=_("In which they came into the queue; UTC")),
        "job": st.column_config.TextColumn(_("Source"), width=320),
        "products": st.column_config.NumberColumn(_("Products"), format="localized", width=110),
        "characters": st.column_config.NumberColumn(_("Characters of text"), format="localized", width=150),
        "pictures": st.column_config.NumberColumn(_("Pictures"), format="localized", width=110),
        "size": st.column_config.NumberColumn(_("Size of the pictures (MB)"), format="%.1f", width=190),
    }
    st.dataframe(table, hide_index=True, width="stretch", column_config=columns, key="batch_grid_kept")


def _render_purge(store: DecisionStore) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", key="review_kept_purge"):
        days = st.number_input(
            _("Delete what came more than so many days ago"), 1, _OLDEST_AGE, _USUAL_AGE, key="review_kept_days",
            persist_state="session", width=330,
        )  # fmt: skip
        # A new one, and closed, after each deletion.
        key = f"review_kept_panel_{st.session_state.get(_ROUND, 0)}"
        panel = st.popover(_("Delete…"), key=key, on_change="rerun")
    if not panel.open:
        return
    with panel:
        going = purgeable(store, timedelta(days=days))
        if not going.products and not going.pictures:
            st.markdown(_("Nothing that is kept came so long ago."))
            return
        st.markdown(_what_goes(going))
        st.markdown(
            _(
                "Decisions stay, with their categories, who took them and when; their notes go. What was deleted "
                "cannot be exported, learned from or looked at again."
            )
        )
        if st.button(_("Delete for good"), key="review_kept_now", type="primary") and may("purge"):
            with st.spinner(_("Deleting…")):
                done = st.session_state[_PURGED] = purge(store, timedelta(days=days))
            noted("purged", "products", days=days, products=done.products, pictures=done.pictures)
            discard()
            st.session_state[_ROUND] = st.session_state.get(_ROUND, 0) + 1
            st.rerun()


def _render_purged() -> None:
    done: Purged | None = st.session_state.pop(_PURGED, None)
    if done is not None:
        st.success(_("**Deleted.** {what}").format(what=_what_goes(done)))


def _what_goes(purged: Purged) -> str:
    words = [
        ngettext(
            "Texts, notes and picture of {n} product; {removed} of these without a decision, which leave the queue.",
            "Texts, notes and pictures of {n} products; {removed} of these without a decision, which leave the queue.",
            purged.products,
        ).format(n=number(purged.products), removed=number(purged.removed)),
        ngettext("{n} file with a picture ({size}).", "{n} files with a picture ({size}).", purged.pictures).format(
            n=number(purged.pictures), size=size(purged.bytes)
        ),
    ]
    if purged.held:
        held = ngettext(
            "{n} product stays: somebody has it open.", "{n} products stay: somebody has them open.", purged.held
        )
        words.append(held.format(n=number(purged.held)))
    if purged.lingering:
        words.append(_("Somebody was reading meanwhile: delete again later, so that nothing of it is left on disk."))
    return " ".join(words)


def _group_name(group: Kept) -> str:
    if group.job is not None:
        return short(group.job_name or group.job)
    return _("Classified one by one")


def discard() -> None:
    """Deletes the file that was prepared in this session."""
    prepared = st.session_state.pop(PREPARED, None)
    if prepared is not None:
        prepared.folder.cleanup()


def size(count: int) -> str:
    """A number of bytes, in words."""
    return _("{n} MB").format(n=number(count / 1e6, 1)) if count >= 1e5 else _("{n} kB").format(n=number(count / 1e3))


def short(name: str) -> str:
    """The name of a file, on one line."""
    shown = " ".join(name.split())
    return shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}…"
