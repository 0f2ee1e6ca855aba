"""What the pages take on at once: windows that are open, and bytes on their way in. The rest is told to come again."""

from html import escape

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from ui.language import N_, in_language
from ui.plain import accepted, document, policy
from watch.classifying import overloaded

STRANGER = "rayon.stranger"
"""In the scope of a window of somebody who has not signed in."""
_WINDOW, _UPLOAD = "/_stcore/stream", "/_stcore/upload_file/"
_RETRY_SECONDS = 20
_FULL, _AGAIN = (
    N_("Many people are at work here just now."),
    N_("This page tries again by itself in {seconds} seconds."),
)


class Limits:
    """ASGI middleware around the pages.

    ``windows``: how many may be open; each is a session of Streamlit's, with a script and a memory of its own.
    Strangers, whom `Guard` marks, have a quarter of them, so that they keep nobody out. ``upload_bytes``: how many
    may be on their way in at once, of all files together. Beyond any of these: 503.
    """

    def __init__(self, app: ASGIApp, windows: int, upload_bytes: int) -> None:
        self._app, self._most, self._most_bytes = app, windows, upload_bytes
        self.windows, self.strangers, self.uploading = 0, 0, 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if scope["type"] == "websocket" and path == _WINDOW:
            await self._window(scope, receive, send)
        elif scope["type"] == "http" and scope["method"] == "PUT" and path.startswith(_UPLOAD):
            await self._upload(scope, receive, send)
        elif self.windows >= self._most and _is_page(scope):
            await _full_page(HTTPConnection(scope))(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _window(self, scope: Scope, receive: Receive, send: Send) -> None:
        strange = bool(scope.get(STRANGER))
        if self.windows >= self._most or (strange and self.strangers >= max(1, self._most // 4)):
            await _refuse_window(scope, receive, send)
            return
        self.windows += 1
        self.strangers += strange
        try:
            await self._app(scope, receive, send)
        finally:
            self.windows -= 1
            self.strangers -= strange

    async def _upload(self, scope: Scope, receive: Receive, send: Send) -> None:
        announced = Headers(scope=scope).get("content-length", "")
        if not announced.isascii() or not announced.isdigit():
            await PlainTextResponse("Say how long the file is", 411)(scope, receive, send)
            return
        length = int(announced)
        # The server in front of this keeps senders to the length that they announced.
        if self.uploading and self.uploading + length > self._most_bytes:
            await _later("Other files are on their way in: try again in a moment")(scope, receive, send)
            return
        self.uploading += length
        try:
            await self._app(scope, receive, send)
        finally:
            self.uploading -= length


def _is_page(scope: Scope) -> bool:
    """Whether a browser asks for a page of Streamlit's, which would open a window."""
    if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
        return False
    path: str = scope["path"]
    if path.startswith(("/_stcore/", "/static/", "/media/", "/component/", "/auth/", "/oauth2callback")):
        return False
    return "text/html" in Headers(scope=scope).get("accept", "")


def _full_page(request: HTTPConnection) -> Response:
    overloaded()
    language = accepted(request)
    title = in_language(language, _FULL)
    again = in_language(language, _AGAIN).format(seconds=_RETRY_SECONDS)
    body = document(language, title, f"<h1>{escape(title)}</h1><p>{escape(again)}</p>")
    headers = {
        "Retry-After": str(_RETRY_SECONDS),
        "Refresh": str(_RETRY_SECONDS),
        "Cache-Control": "no-store",
        "Content-Security-Policy": policy(),
    }
    return HTMLResponse(body, 503, headers)


def _later(said: str) -> Response:
    overloaded()
    return PlainTextResponse(said, 503, {"Retry-After": str(_RETRY_SECONDS)})


async def _refuse_window(scope: Scope, receive: Receive, send: Send) -> None:
    await receive()
    if "websocket.http.response" in scope.get("extensions", {}):
        await WebSocket(scope, receive, send).send_denial_response(_later("As many windows are open as may be"))
    else:
        overloaded()
        await send({"type": "websocket.close", "code": 1013})
