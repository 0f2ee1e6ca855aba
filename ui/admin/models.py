"""The models of this server: which there are, which is active, and what can be done with each."""

from contextlib import suppress
from datetime import datetime

import streamlit as st

from batch.store import JobStore
from model.pointer import VersionError
from model.versions import InstalledModel, ModelStore
from settings import settings
from ui.admin.asking import NotDone, Question, ask, render_asked
from ui.admin.comparing import render_comparison
from ui.admin.installing import render_upload
from ui.admin.progress import begin_activation, busy, failure_noted, render_work
from ui.admin.refusals import refusal
from ui.admin.sizes import folder_bytes
from ui.card.words import on_day
from ui.language import _, moment, ngettext, number
from ui.review.kept import size
from ui.rows import row
from ui.sign_in.audited import noted, person_here
from ui.style import literal

_COMPARED = "admin_compared"


def model_store() -> ModelStore:
    """The models of this server."""
    return ModelStore(settings().home)


def render_models() -> None:
    """What is being done, the list, the comparison, the field for another one."""
    named = settings().named_bundle
    if named is not None:
        st.warning(
            _(
                "**RAYON_BUNDLE names the model in use:** {folder}. It answers whatever is active here, so nothing can "
                "be changed on this page; start the server without it to choose here."
            ).format(folder=literal(str(named)))
        )
    render_work()
    models = model_store().installed()
    _render_list(models, fixed=named is not None or busy())
    _render_rollback(fixed=named is not None or busy())
    if (other := _compared(models)) is not None:
        render_comparison(_active(models), other)
    render_upload(fixed=named is not None)
    render_asked({"activate": _activation, "rollback": _rollback, "remove": _removal})


def _render_list(models: list[InstalledModel], fixed: bool) -> None:
    active = _active(models)
    for model in models:
        with row(f"admin_model_{_key(model)}"):
            with st.container(width="stretch", gap="xxsmall"):
                word = _("active")
                badge = f" &nbsp; :green-badge[{literal(word)}]" if model.active else ""
                st.markdown(f"**{literal(model.version)}**{badge}")
                st.caption(_described(model))
            with st.container(horizontal=True, width="content"):
                if model.active:
                    continue
                if active is not None:
                    compared = st.session_state.get(_COMPARED) == _key(model)
                    label = _("Hide the comparison") if compared else _("Compare")
                    st.button(label, key=f"admin_compare_{_key(model)}", on_click=_compare, args=(_key(model),))
                _asking(_("Activate…"), "activate", model, (model.version, _active_version()), fixed)
                if not model.shipped:
                    _asking(_("Remove…"), "remove", model, model.version, fixed)


def _asking(label: str, name: str, model: InstalledModel, subject: object, fixed: bool) -> None:
    key = f"admin_{name}_{_key(model)}"
    st.button(label, key=key, on_click=ask, args=(name, subject), disabled=fixed)


def _described(model: InstalledModel) -> str:
    parts = [_("came with the program")] if model.shipped else []
    if model.created:
        parts.append(_("made on {day}").format(day=on_day(model.created)))
    elif not model.name:
        parts.append(_("its manifest cannot be read"))
    return " · ".join([*parts, size(folder_bytes(model.path))])


def _render_rollback(fixed: bool) -> None:
    try:
        history = model_store().history()
    except VersionError as error:
        words, sentence = refusal(error)
        st.error(words)
        st.code(sentence or "", language=None, wrap_lines=True)
        return
    if len(history) < 2:
        st.caption(_("No other model was active before: there is nothing to roll back to."))
        return
    back, now = history[-2], history[-1]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            _("Roll back to {version}…").format(version=literal(back.version)),
            key="admin_rollback", icon=":material/undo:", disabled=fixed,
            on_click=ask, args=("rollback", (back.version, now.version)),
        )  # fmt: skip
        if now.since:
            since = moment(datetime.fromisoformat(now.since))
            st.caption(_("{version} is active since {moment}.").format(version=literal(now.version), moment=since))


def _activation(shown: tuple[str, str]) -> Question | None:
    """``shown``: the version to activate, and the active one as it was when that was asked for."""
    version, before = shown
    if not any(model.version == version for model in model_store().installed()):
        return None
    words = _(
        "It is checked once more, which may take a minute, and answers from the next request on, for everybody; "
        "the active one goes on meanwhile. Files that are being classified keep the model they began with."
    )
    title = _("Activate {version}?").format(version=version)
    return Question(title, words, _("Activate"), lambda: begin_activation(version, before))


def _rollback(shown: tuple[str, str]) -> Question:
    """``shown``: the version to go back to, and the active one, as they were when that was asked for."""
    version, before = shown

    def act() -> str:
        _check_free()
        with failure_noted(person_here(), "rollback", version):
            done = model_store().rollback(expected=version, before=before)
        noted("model_rolled_back", done.version, before=before)
        return _("**{version} is active again.**").format(version=literal(done.version))

    words = _("It answers from the next request on, for everybody. Its files are checked; its answers were, before.")
    return Question(_("Roll back to {version}?").format(version=version), words, _("Roll back"), act)


def _removal(version: str) -> Question | None:
    def act() -> str:
        _check_free()
        model_store().remove(version)
        noted("model_removed", version)
        return _("**{version} is removed.**").format(version=literal(version))

    words = _("Its folder is deleted from this server. Keep a copy elsewhere if you may want it again.")
    if waiting := _jobs_with(version):
        words += " " + ngettext(
            "**{n} file that is being classified with it will fail.**",
            "**{n} files that are being classified with it will fail.**",
            waiting,
        ).format(n=number(waiting))
    return Question(_("Remove {version}?").format(version=version), words, _("Remove for good"), act)


def _check_free() -> None:
    if settings().named_bundle is not None:
        raise NotDone(_("**Nothing was done:** RAYON_BUNDLE names the model in use."))
    if busy():
        raise NotDone(_("**Nothing was done:** another model is being checked. Wait for its end."))


def _jobs_with(version: str) -> int:
    jobs = [(job.spec, job.state().state) for job in JobStore(settings().home).all()]
    return sum(spec is not None and spec.model == version and state in ("waiting", "running") for spec, state in jobs)


def _active(models: list[InstalledModel]) -> InstalledModel | None:
    return next((model for model in models if model.active), None)


def _active_version() -> str:
    """Of the model put into service, even when it is gone; "" when nobody can tell."""
    with suppress(VersionError):
        return model_store().history()[-1].version
    return ""


def _key(model: InstalledModel) -> str:
    return f"shipped_{model.version}" if model.shipped else model.version


def _compare(key: str) -> None:
    state = st.session_state
    state[_COMPARED] = None if state.get(_COMPARED) == key else key


def _compared(models: list[InstalledModel]) -> InstalledModel | None:
    """The model that is looked at beside the active one; None for none."""
    wanted = st.session_state.get(_COMPARED)
    found = next((model for model in models if _key(model) == wanted), None)
    return None if found is None or found.active or _active(models) is None else found
