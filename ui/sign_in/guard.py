"""The watch over every request, whatever program serves it and whatever Streamlit makes of it.

A page asks who is there at every run. But Streamlit calls what a button is for before the page, runs parts of a page
alone, and lets a window go on that had been connected before: so each message of a window is looked at here first.
"""

from collections import OrderedDict
from http.cookies import CookieError
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from access.attempts import network_of
from access.door import door
from access.errors import AccessError
from access.exposure import FORWARDED, came_from_here
from access.sessions import COOKIE
from settings import settings
from ui.limits import ADDRESS, STRANGER, WHO
from ui.plain import ICON
from ui.sign_in.audited import note_left
from ui.sign_in.door import ASK
from ui.sign_in.form import PAGE
from ui.sign_in.provider import providers
from ui.sign_in.routes import back, visitor_of
from watch.requests import note

_OWN_CHECKS = ("/api/",)
"""Served beside the pages by what looks at tokens of its own."""
_METRICS = "/metrics"
"""Likewise."""
_ANYBODYS = ("/_stcore/health", "/_stcore/script-health-check", ICON)
_STRANGERS = ("/static/", "/component/", "/_stcore/bidi-components/", "/_stcore/host-config", "/auth/")
"""What a browser needs to show that one has to sign in. The rest is for those who have."""
_CALLBACK, _LOGOUT = "/oauth2callback", "/auth/logout"
_NOBODYS = "/_stcore/agent"
_WINDOWS = 10_000


class Guard:
    """ASGI middleware around the pages."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._windows: OrderedDict[str, str] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hands on what may pass."""
        path = scope.get("path", "")
        if scope["type"] not in ("http", "websocket") or path.startswith(_OWN_CHECKS) or path in (_METRICS, *_ANYBODYS):
            await self.app(scope, receive, send)
        elif path.startswith(_NOBODYS):
            await _refuse(PlainTextResponse("Not found", 404), scope, receive, send)
        elif not door().closed() and not providers():
            await self._open(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._window(scope, receive, send)
        else:
            await self._request(scope, receive, send)

    async def _open(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Without sign-in: only for this machine, unless that was said."""
        headers = Headers(scope=scope)
        here = came_from_here(scope.get("server"), headers.get("host")) and not any(n in headers for n in FORWARDED)
        if settings().open_to_all or here:
            await self.app(scope | {WHO: _address(scope)}, receive, send)
            return
        text = (
            "Rayon is open to this machine alone here, and this request comes from elsewhere, through a proxy, or asks "
            "for another name. See docs/sign-in.md: make an account, set up a provider, or set RAYON_OPEN=1."
        )
        await _refuse(PlainTextResponse(text, 403), scope, receive, send)

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        path, connection = scope["path"], HTTPConnection(scope)
        if path == _LOGOUT:
            await run_in_threadpool(_end, scope)
        key = _key(scope)
        scope = scope | {WHO: key or _address(scope)}
        if path.startswith(_STRANGERS) or path == _CALLBACK or key is not None:
            await self.app(scope, receive, send)
            return
        if not _is_document(scope):
            response: Response = PlainTextResponse("Sign in first", 401)
        elif ASK in connection.query_params:
            await self.app(scope, receive, send)
            return
        else:
            query = f"?{connection.url.query}" if connection.url.query else ""
            response = RedirectResponse(f"{PAGE}?back={quote(back(path + query), safe='')}", 303)
        if COOKIE in _cookies(scope):
            response.delete_cookie(COOKIE)
        response.headers["Cache-Control"] = "no-store"
        await response(scope, receive, send)

    async def _window(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A window's connection: every message is from who opened it, or it may ask for the page and no more."""
        key = _key(scope)
        scope = self._resumed(scope, key)

        async def checked() -> Message:
            while True:
                message = await receive()
                if message["type"] != "websocket.receive" or (key is not None and _key(scope) == key):
                    return message
                bare = bare_run(message.get("bytes") or b"")
                if bare is not None:
                    return message | {"bytes": bare}

        async def watched(message: Message) -> None:
            if message["type"] == "websocket.send" and key is not None:
                self._note(message.get("bytes"), key)
            await send(message)

        await self.app(scope | {STRANGER: key is None, WHO: key or _address(scope)}, checked, watched)

    def _resumed(self, scope: Scope, key: str | None) -> Scope:
        """Without the window of before, which Streamlit would resume, unless it was the same person's."""
        headers = []
        for name, value in scope["headers"]:
            if name == b"sec-websocket-protocol":
                parts = [part.strip() for part in value.split(b",")]
                known = self._windows.get(parts[2].decode("latin-1")) if len(parts) > 2 else None
                if key is None or known != key:
                    value = b", ".join(parts[:2])
            headers.append((name, value))
        return scope | {"headers": headers}

    def _note(self, data: bytes | None, key: str) -> None:
        """Remembers whose window it is: its name is in the message that begins each run."""
        message = ForwardMsg()
        if not data or len(data) > 100_000:
            return
        message.ParseFromString(data)
        if message.WhichOneof("type") == "new_session":
            session = message.new_session.initialize.session_id
            self._windows[session] = key
            self._windows.move_to_end(session)
            while len(self._windows) > _WINDOWS:
                self._windows.popitem(last=False)


def bare_run(data: bytes) -> bytes | None:
    """The message as a wish to see the page, without what was clicked or filled in; None for any other message.

    Who asks for a file sees the page, too: why there is none stands there.
    """
    message = BackMsg()
    try:
        message.ParseFromString(data)
    except Exception:  # protobuf's own kinds
        return None
    if message.WhichOneof("type") == "backend_operation_request":
        message = BackMsg()
        message.rerun_script.SetInParent()
        return message.SerializeToString()
    if message.WhichOneof("type") != "rerun_script":
        return None
    message.rerun_script.ClearField("widget_states")
    message.rerun_script.ClearField("fragment_id")
    return message.SerializeToString()


def _key(scope: Scope) -> str | None:
    """Who a connection is from, and by which session; None for a stranger, and while nobody can be known."""
    try:
        known = visitor_of(_cookies(scope))
    except AccessError:
        return None
    if known is None:
        return None
    note(scope, role=known.role.name.lower() if known.role else "none")
    return known.key


def _end(scope: Scope) -> None:
    """Ends the session on the server, where Streamlit's own way out would clear the browser's cookies alone."""
    try:
        known = visitor_of(_cookies(scope))
    except AccessError:
        return  # it is nobody's while accounts cannot be read, and each message of a window is looked at again
    if known is not None and door().sessions.end(known):
        note_left(known)


def _address(scope: Scope) -> str:
    return ADDRESS + network_of((scope.get("client") or ("",))[0])


def _cookies(scope: Scope) -> dict[str, str]:
    try:
        return HTTPConnection(scope).cookies
    except CookieError:
        return {}


def _is_document(scope: Scope) -> bool:
    """Whether a browser asks for a page to show."""
    if scope["method"] not in ("GET", "HEAD") or scope["path"].startswith(("/_stcore", "/media")):
        return False
    return "text/html" in Headers(scope=scope).get("accept", "")


async def _refuse(response: Response, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008})
    else:
        await response(scope, receive, send)
