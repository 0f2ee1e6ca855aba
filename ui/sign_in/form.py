"""The sign-in page: plain HTML, which works before any script does and is what password managers know."""

from dataclasses import dataclass
from html import escape
from urllib.parse import quote, urlencode

from access.accounts import LONGEST_NAME
from access.passwords import LONGEST
from ui.language import LANGUAGES, N_, in_language
from ui.plain import document
from ui.sign_in.provider import DEFAULT

PAGE, OUT = "/auth/sign-in", "/auth/sign-out"
PROBLEMS = {
    "wrong": N_("The name and the password do not go together."),
    "wait": N_("Too many attempts. Try again in {seconds} seconds."),
    "stale": N_("This form was open for too long, or your browser keeps no cookies. Try again."),
    "busy": N_("Many people are signing in at this moment. Try again in a few seconds."),
    "broken": N_("Nobody can sign in at the moment. Tell whoever runs this server to look at its log."),
}


@dataclass(frozen=True, slots=True)
class Form:
    """``back``: where to go after; ``token``: proves that the form was ours. ``signed_in``: the name of who is."""

    language: str
    back: str
    token: str
    local: bool = True
    providers: tuple[str, ...] = ()
    problem: str | None = None
    seconds: int = 0
    name: str = ""
    signed_in: str | None = None


def page(form: Form) -> str:
    """The whole page."""
    title = in_language(form.language, "Sign in")
    inside = _way_out(form) if form.signed_in is not None else _way_in(form)
    return document(form.language, title, inside + _languages(form))


def _way_in(form: Form) -> str:
    sign_in, name, password = (_text(form, text) for text in (N_("Sign in"), N_("Name"), N_("Password")))
    parts = [f"<h1>{sign_in}</h1>"]
    if form.problem is not None:
        problem = in_language(form.language, PROBLEMS[form.problem]).format(seconds=form.seconds)
        parts.append(f'<p class="problem" role="alert">{escape(problem)}</p>')
    if form.local:
        parts.append(
            f'<form method="post" action="{PAGE}">{_hidden(form)}'
            f'<label for="name">{name}</label>'
            f'<input id="name" name="name" autocomplete="username" required maxlength="{LONGEST_NAME}" '
            f'value="{escape(form.name)}"{"" if form.name else " autofocus"}>'
            f'<label for="password">{password}</label>'
            f'<input id="password" name="password" type="password" autocomplete="current-password" required '
            f'maxlength="{LONGEST}"{" autofocus" if form.name else ""}>'
            f"<button>{sign_in}</button></form>"
        )
    for provider in form.providers:
        text = in_language(form.language, N_("Sign in with {provider}"))
        if provider == DEFAULT:
            text = in_language(form.language, N_("Sign in with your organisation"))
        label = escape(text.format(provider=provider.capitalize()))
        parts.append(f'<a class="button" href="/?sign_in={quote(provider)}">{label}</a>')
    return "".join(parts)


def _way_out(form: Form) -> str:
    go_on, sign_out = _text(form, N_("Go on")), _text(form, N_("Sign out"))
    said = escape(in_language(form.language, N_("You are signed in as {name}.")).format(name=form.signed_in))
    return (
        f'<p>{said}</p><a class="button" href="{escape(form.back)}">{go_on}</a>'
        f'<form method="post" action="{OUT}">{_hidden(form)}<button>{sign_out}</button></form>'
    )


def _hidden(form: Form) -> str:
    fields = {"token": form.token, "back": form.back, "lang": form.language}
    return "".join(f'<input type="hidden" name="{name}" value="{escape(value)}">' for name, value in fields.items())


def _languages(form: Form) -> str:
    links = (
        f'<a lang="{code}" href="{PAGE}?{escape(urlencode({"lang": code, "back": form.back}))}">{name}</a>'
        for code, name in LANGUAGES.items()
        if code != form.language
    )
    return f"<nav>{''.join(links)}</nav>"


def _text(form: Form, message: str) -> str:
    return escape(in_language(form.language, message))
