"""Signing in and out by ordinary requests: a form that comes back, a cookie that goes out."""

import asyncio
import hmac
import logging
import re
import secrets
import time
from urllib.parse import parse_qs, urlsplit

from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from access.attempts import whole_seconds
from access.door import Refused, door
from access.errors import AccessError
from access.sessions import COOKIE
from access.visitor import Visitor
from decisions.audit import note
from ui.language import LANGUAGES
from ui.plain import accepted, policy
from ui.sign_in.audited import note_signed_in, note_waiting
from ui.sign_in.form import OUT, PAGE, Form, page
from ui.sign_in.provider import claims_of_cookies, providers

FORM_COOKIE = "rayon_form"
_FORM_SECONDS = 3600
_MOST_BYTES = 16_384
_AT_ONCE, _MOST_WAITING = 2, 20
_BUSY_SECONDS = 5
_SECRET = re.compile(r"[A-Za-z0-9_-]{32}")
_BACK = re.compile(r"/(?![/\\])[A-Za-z0-9_/-]*(\?[A-Za-z0-9_=&%.~+-]*)?")
_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

log = logging.getLogger(__name__)


class _Queue:
    """Two passwords are looked at at once, and some wait: each takes 64 MiB, a core, and a thread of few."""

    def __init__(self) -> None:
        self._turn, self._inside = asyncio.Semaphore(_AT_ONCE), 0

    @property
    def full(self) -> bool:
        return self._inside >= _AT_ONCE + _MOST_WAITING

    async def __aenter__(self) -> None:
        self._inside += 1
        try:
            await self._turn.acquire()
        except BaseException:
            self._inside -= 1
            raise

    async def __aexit__(self, *_: object) -> None:
        self._turn.release()
        self._inside -= 1


_queue = _Queue()


def routes() -> list[Route]:
    """The routes to serve beside the pages."""
    return [
        Route(PAGE, _show, methods=["GET"]),
        Route(PAGE, _sign_in, methods=["POST"]),
        Route(OUT, _sign_out, methods=["POST"]),
    ]


def visitor_of(cookies: dict[str, str]) -> Visitor | None:
    """Who a request comes from. AccessError."""
    return door().visitor(cookies.get(COOKIE), claims_of_cookies(cookies))


def back(given: str | None) -> str:
    """A page of ours to go to; the first one for anything else."""
    return given if given and len(given) <= 500 and _BACK.fullmatch(given) else "/"


async def _show(request: Request) -> Response:
    return _page(request, request.query_params.get("lang"), back(request.query_params.get("back")))


async def _sign_in(request: Request) -> Response:
    fields = await _fields(request)
    if fields is None:
        return Response("Too large", 413, _HEADERS)
    language, after, name = fields.get("lang"), back(fields.get("back")), fields.get("name", "")
    if not _ours(request, fields):
        return _page(request, language, after, 403, problem="stale")
    if _queue.full:
        return _page(request, language, after, 503, problem="busy", seconds=_BUSY_SECONDS)
    address = request.client.host if request.client else ""
    try:
        async with _queue:
            cookie = await run_in_threadpool(door().sign_in, name, fields.get("password", ""), address)
        _end(request)
    except Refused as refused:
        if refused.wait is None:
            return _page(request, language, after, 401, problem="wrong", name=name[:80])
        response = _page(request, language, after, 429, problem="wait", seconds=refused.wait, name=name[:80])
        response.background = BackgroundTask(note_waiting, name, address, refused.wait)
        return response
    except (AccessError, OSError):
        log.exception("sign-in failed")
        return _page(request, language, after, 503, problem="broken")
    # After the answer: a store of decisions that is out of reach keeps nobody waiting.
    response = RedirectResponse(after, 303, _HEADERS, background=BackgroundTask(note_signed_in, name))
    response.set_cookie(
        COOKIE, cookie, max_age=door().sessions.seconds, httponly=True, samesite="lax", secure=_secure(request)
    )
    response.delete_cookie(FORM_COOKIE, path="/auth")
    return response


async def _sign_out(request: Request) -> Response:
    fields = await _fields(request)
    if fields is None:
        return Response("Too large", 413, _HEADERS)
    if not _ours(request, fields):
        return _page(request, fields.get("lang"), back(fields.get("back")), 403, problem="stale")
    known = visitor_of(request.cookies)
    ended = _end(request)
    # A provider has to be told too, by Streamlit, which forgets its own cookies then.
    provided = known is not None and known.way == "provider"
    noting = BackgroundTask(note, known.name, "sign_out") if known is not None and ended else None
    response = RedirectResponse("/auth/logout" if provided else PAGE, 303, _HEADERS, background=noting)
    response.delete_cookie(COOKIE)
    return response


def _end(request: Request) -> bool:
    """Ends the session that the browser has; False when there is none."""
    known = visitor_of(request.cookies)
    return known is not None and door().sessions.end(known)


def _page(request: Request, language: str | None, after: str, status: int = 200, **more: object) -> Response:
    """The form. ``more``: as in `Form`."""
    spoken = language if language in LANGUAGES else accepted(request)
    kept = request.cookies.get(FORM_COOKIE, "")  # by another window with the form
    secret = kept if _SECRET.fullmatch(kept) else secrets.token_urlsafe(24)
    try:
        known = visitor_of(request.cookies)
        local, token = door().closed() and door().accounts.exist(), _token(secret, int(time.time()))
    except AccessError:
        log.exception("sign-in is out of order")
        known, local, token, more = None, False, "", {"problem": "broken"}
        status = 503
    form = Form(
        spoken, after, token, local, tuple(providers()), signed_in=None if known is None else known.name, **more
    )
    headers = _HEADERS | {"Content-Security-Policy": policy()}
    if status in (429, 503):
        headers["Retry-After"] = str(whole_seconds(form.seconds))
    response = HTMLResponse(page(form), status, headers)
    response.set_cookie(
        FORM_COOKIE, secret, max_age=_FORM_SECONDS, path="/auth", httponly=True, samesite="strict",
        secure=_secure(request),
    )  # fmt: skip
    return response


def _ours(request: Request, fields: dict[str, str]) -> bool:
    """Whether the form was made for this browser, not long ago, and was sent from a page of ours."""
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        return False
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    secret, (made, _, _) = request.cookies.get(FORM_COOKIE), fields.get("token", "").partition(".")
    if not secret or not made.isascii() or not made.isdigit() or len(made) > 12:
        return False
    fresh = 0 <= time.time() - int(made) <= _FORM_SECONDS
    return fresh and hmac.compare_digest(_token(secret, int(made)), fields["token"])


def _token(secret: str, made: int) -> str:
    return f"{made}.{door().sessions.token('form', f'{secret}.{made}')}"


async def _fields(request: Request) -> dict[str, str] | None:
    """The fields of a form; None for more than one has."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MOST_BYTES:
            return None
    try:
        parsed = parse_qs(body.decode("utf-8"), keep_blank_values=True, max_num_fields=10, errors="strict")
    except ValueError:
        return {}
    return {name: values[0] for name, values in parsed.items()}


def _secure(request: Request) -> bool:
    return request.url.scheme == "https"
