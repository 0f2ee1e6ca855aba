"""Models that are being checked: begun here, followed here, told of at the end."""

import re
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

import streamlit as st

from decisions.audit import note
from model.bundle_files import MANIFEST, sha256
from model.leftovers import INCOMING, incoming
from model.versions import ModelStore
from settings import settings
from ui.admin import works
from ui.admin.asking import NotDone
from ui.admin.refusals import reason_name, refusal
from ui.admin.uploads import remember
from ui.admin.works import Work
from ui.language import N_, _, duration
from ui.sign_in.audited import person_here
from ui.style import literal

_SEEN, _SECONDS, _USUAL_SECONDS = "admin_work_seen", 1, 60
_DOING = {
    "install": N_("**{subject} is being checked**: its files, then its answers, in a process of its own."),
    "activate": N_("**{subject} is being checked once more**, and put into service then."),
}
_DONE = {
    "install": N_("**{subject} is installed**, and not active yet: compare it with the active one, then activate it."),
    "there": N_("**{subject} was installed already**, and is not active: nothing was changed."),
    "there_active": N_("**{subject} was installed already, and is the active model:** nothing was changed."),
    "activate": N_("**{subject} is active.** It answers from the next request on."),
}
_FAILED = {
    "install": N_("**{subject} is not installed.**"),
    "activate": N_("**{subject} is not activated;** the model of before goes on."),
}


_answered: set[str] = set()
"""Digests of the manifests of models whose answers were checked by this very process: its files are looked at again,
and would give the same answers."""


@contextmanager
def failure_noted(person: str, step: str, subject: str) -> Iterator[None]:
    """Whatever keeps a model from being installed, activated or gone back to stands in the audit log by its name."""
    try:
        yield
    except BaseException as error:
        note(person, "model_refused", subject, step=step, reason=reason_name(error))
        raise


def busy() -> bool:
    """Whether a model is being checked."""
    work = works.last()
    return work is not None and not work.ended.is_set()


def begin_installation(name: str, archive: BinaryIO, other_taxonomy: bool) -> str:
    """Sets to work on an uploaded ZIP. NotDone, OSError."""
    home, person, shown = settings().home, person_here(), " ".join(name.split())[:100]
    _check_named()
    # Under a name that cannot be a path; refusals call it as it was called.
    name = re.sub(r"[^A-Za-z0-9._-]", "_", Path(shown).stem)[:60] or "model"

    def act() -> None:
        with waiting, failure_noted(person, "install", shown):
            done, added = ModelStore(home).take_in(place, other_taxonomy)
            work.subject = done.version
            _answered.add(_digest(done.path))
            if added:
                note(person, "model_installed", done.version, file=shown)
            else:
                work.outcome = "there_active" if done.active else "there"

    with ExitStack() as stack:
        folder = stack.enter_context(incoming(home))
        remember(folder, person, shown)
        place = folder / f"{name}.zip"
        with place.open("wb") as file:
            shutil.copyfileobj(archive, file, 2**20)
        work, waiting = Work("install", shown, act), stack.pop_all()
    try:
        _begin(work)
    except BaseException:
        waiting.close()
        raise
    return ""


def begin_activation(version: str, before: str) -> str:
    """Sets to work. ``before``: the version that was shown as the active one, "" for none. NotDone."""
    home, person = settings().home, person_here()
    _check_named()

    def act() -> None:
        with failure_noted(person, "activate", version):
            done = ModelStore(home).activate(version, checked=_has_answered(version), before=before)
        _answered.add(_digest(done.path))
        note(person, "model_activated", version, before=before)

    _begin(Work("activate", version, act))
    return ""


def render_work() -> None:
    """How far it is, or what came of it until that is closed."""
    work = works.last()
    if work is None or st.session_state.get(_SEEN) == work.id:
        return
    if not work.ended.is_set():
        st.fragment(_follow, run_every=_SECONDS)(work)
        return
    subject, sentence = literal(work.subject), None
    with st.container(horizontal=True, vertical_alignment="center", key="admin_work"):
        if work.problem is None:
            st.success(_(_DONE[work.outcome or work.kind]).format(subject=subject))
        else:
            words, sentence = refusal(work.problem)
            st.error(f"{_(_FAILED[work.kind]).format(subject=subject)} {words}")
        st.button(_("Close"), key=f"admin_work_close_{work.id}", on_click=_close, args=(work.id,))
    if sentence:
        st.code(_without_folder(sentence), language=None, wrap_lines=True)


def _follow(work: Work) -> None:
    if work.ended.is_set():
        st.rerun()
    words = _(_DOING[work.kind]).format(subject=literal(work.subject))
    with st.container(border=True, key="admin_working"):
        st.progress(min(0.95, (time.monotonic() - work.began) / _USUAL_SECONDS), text=words)
        passed = duration(time.monotonic() - work.began)
        st.caption(
            _("Since {duration}; it takes about a minute. You may leave this page: it goes on.").format(duration=passed)
        )


def _begin(work: Work) -> None:
    if not works.begin(work):
        raise NotDone(_("**Nothing was done:** another model is being checked. Wait for its end."))


def _check_named() -> None:
    if settings().named_bundle is not None:
        raise NotDone(_("**Nothing was done:** RAYON_BUNDLE names the model in use."))


def _has_answered(version: str) -> bool:
    models = ModelStore(settings().home).installed()
    # An installed one comes before the shipped one of that name, as in `ModelStore.activate`.
    path = next((model.path for model in reversed(models) if model.version == version), None)
    return path is not None and _digest(path) in _answered


def _digest(folder: Path) -> str:
    """sha256 of the manifest, which has that of every other file; OSError."""
    return sha256((folder / MANIFEST).read_bytes())


def _without_folder(sentence: str) -> str:
    """A sentence without the folder in which the upload waited."""
    return re.sub(rf"\S*/{INCOMING}/[0-9a-f]{{32}}/", "", sentence)


def _close(identity: str) -> None:
    st.session_state[_SEEN] = identity
