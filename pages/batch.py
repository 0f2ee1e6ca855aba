"""A file of products: sent, classified in a job of its own, looked at, taken away."""

import streamlit as st

from ui.batch.draft import render_draft
from ui.batch.jobs import kept_until, render_delete, render_jobs, state_badge
from ui.batch.names import file_title
from ui.batch.owner import keep_owner
from ui.batch.progress import render_ended, render_progress
from ui.batch.result import render_finished
from ui.batch.state import own, show, wanted
from ui.batch.upload import render_table_upload
from ui.entry import by_front_door
from ui.language import _

come_back = by_front_door("pages/batch.py")
keep_owner()
identity = wanted(come_back)
job = None if identity is None else own(identity)
if job is None:
    st.caption(
        _("A table of products, with or without their pictures: every row gets a category, and you get the file back.")
    )
    if identity is not None:
        st.warning(
            _("This file is not here any more, or was sent from another browser. Only the one it came from sees it.")
        )
        show(None)
    with st.container(border=True):
        render_table_upload()
    render_jobs()
    st.stop()

state = job.state()
with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center", key="batch_header"):
    with st.container(gap="xxsmall", width="stretch"):
        # What is at work tells by itself how far it is, while this line stands still.
        badge = "" if state.state in ("waiting", "running") else state_badge(state)
        st.markdown(f"**{file_title(job.about['name'])}** &nbsp; {badge}")
        st.caption(kept_until(job))
    with st.container(horizontal=True, width="content"):
        st.button(_("All my files"), key="batch_home", icon=":material/arrow_back:", on_click=show, args=(None,))
        render_delete(job, "header")
if state.state == "draft":
    render_draft(job)
elif state.state in ("waiting", "running"):
    render_progress(job)
elif state.state == "done":
    render_finished(job, state)
else:
    render_ended(job, state)
