"""What the pages take on at once: windows that are open, and files in memory. The rest is told to come again."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from html import escape

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket
from streamlit import runtime

from ui.language import N_, in_language
from ui.plain import accepted, document, policy
from watch.classifying import overloaded

WHO, STRANGER = "rayon.who", "rayon.stranger"
"""In the scope, from `Guard`: whose request it is (a person, or an address), and whether they have not signed in."""
ADDRESS = "address:"
"""Begins who is known by an address alone."""
_WINDOW, _UPLOAD = "/_stcore/stream", "/_stcore/upload_file/"
_HEALTH = "/_stcore/script-health-check"
_HEALTH_SECONDS = 5.0
_STEP = 2**20
"""Bytes of an upload after which it is looked at again."""
_RETRY_SECONDS = 20
_STRANGERS_WINDOWS = 5
"""Of one address: one is enough to go to a provider from."""
_LEAVING_SECONDS = 3.0
"""For how long a window that finds no place waits for one: who loads a page again leaves the one before."""
_FULL = N_("Many people are at work here just now.")
_AGAIN = N_("This page tries again by itself in {seconds} seconds.")


class _TooMuch(Exception):
    """An upload is over what may be held."""


class Limits:
    """ASGI middleware around the pages.

    ``windows``: how many may be open; each is a session of Streamlit's, with a script and a memory of its own. A person
    has a quarter of them at most; strangers have a quarter together, and few from one address. ``upload_bytes``: how
    many may be in memory or on their way there, of all files together; half of them of one person. A file that is
    alone may be of any length. Beyond any of these: 503. ``held``: bytes of files that each session keeps.
    """

    def __init__(
        self, app: ASGIApp, windows: int, upload_bytes: int, held: Callable[[], Mapping[str, int]] | None = None
    ) -> None:
        self._app, self._most, self._most_bytes = app, windows, upload_bytes
        self._share = max(1, windows // 4)
        self._windows: Counter[str] = Counter()
        self._strangers: Counter[str] = Counter()
        self._coming: Counter[str] = Counter()
        self._owners: dict[str, str] = {}
        self._held = held or held_by_session
        self._health = asyncio.Lock()
        self._healthy: tuple[float, list[Message]] = (0.0, [])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if scope["type"] == "websocket" and path == _WINDOW:
            await self._window(scope, receive, send)
        elif scope["type"] == "http" and scope["method"] == "PUT" and path.startswith(_UPLOAD):
            await self._upload(scope, receive, send)
        elif path == _HEALTH and scope["type"] == "http":
            await self._look(scope, receive, send)
        elif not self._page_fits(scope):
            overloaded()
            await _full_page(HTTPConnection(scope))(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _page_fits(self, scope: Scope) -> bool:
        """A page is shown unless its window would find no place; who has one may be about to leave it."""
        return self._windows.total() < self._most or not _is_page(scope) or bool(self._windows[_who(scope)])

    def _window_fits(self, who: str, strange: bool) -> bool:
        if strange and (self._strangers.total() >= self._share or self._strangers[who] >= _STRANGERS_WINDOWS):
            return False
        theirs = 0 if who.startswith(ADDRESS) else self._windows[who]  # many people may share an address
        return self._windows.total() < self._most and theirs < self._share

    async def _window(self, scope: Scope, receive: Receive, send: Send) -> None:
        who, strange = _who(scope), bool(scope.get(STRANGER))
        until = asyncio.get_running_loop().time() + _LEAVING_SECONDS
        while not (fits := self._window_fits(who, strange)):
            if not self._windows[who] or asyncio.get_running_loop().time() > until:
                break
            await asyncio.sleep(0.1)
        if not fits:
            overloaded()
            await _refuse_window(scope, receive, send)
            return
        tallies = (self._windows, self._strangers) if strange else (self._windows,)
        for tally in tallies:
            tally[who] += 1
        try:
            await self._app(scope, receive, send)
        finally:
            for tally in tallies:
                _take_off(tally, who, 1)

    async def _upload(self, scope: Scope, receive: Receive, send: Send) -> None:
        who, session = _who(scope), scope["path"].removeprefix(_UPLOAD).split("/")[0]
        announced = Headers(scope=scope).get("content-length", "")
        if announced.isascii() and announced.isdigit() and not self._bytes_fit(who, 0, int(announced)):
            overloaded()
            await _later("Other files are on their way in: try again in a moment")(scope, receive, send)
            return
        came, begun = 0, False

        async def counted() -> Message:
            nonlocal came
            message = await receive()
            size = len(message.get("body", b""))
            # As they come: what is announced and never sent keeps nobody out.
            if came // _STEP != (came + size) // _STEP and not self._bytes_fit(who, came, size):
                raise _TooMuch
            came += size
            self._coming[who] += size
            return message

        async def noted(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        self._owners = {one: of for one, of in self._owners.items() if one in self._held() or self._coming[of]}
        self._owners[session] = who
        try:
            await self._app(scope, counted, noted)
        except _TooMuch:
            overloaded()
            if not begun:
                await _later("Other files came in meanwhile: try again in a moment")(scope, receive, send)
        finally:
            _take_off(self._coming, who, came)

    def _bytes_fit(self, who: str, came: int, more: int) -> bool:
        """Whether an upload, ``came`` bytes of which are there, may have ``more``."""
        held = self._held()
        every = sum(held.values()) + self._coming.total()
        theirs = sum(size for session, size in held.items() if self._owners.get(session) == who) + self._coming[who]
        if every == came:
            return True
        return every + more <= self._most_bytes and theirs + more <= self._most_bytes // 2

    async def _look(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The page's own health check runs its script: one at a time, and its answer serves all for a while."""
        async with self._health:
            clock = asyncio.get_running_loop().time()
            at, messages = self._healthy
            if not messages or clock - at > _HEALTH_SECONDS:
                messages = []

                async def kept(message: Message) -> None:
                    messages.append(message)

                await self._app(scope, receive, kept)
                self._healthy = asyncio.get_running_loop().time(), messages
        for message in messages:
            await send(message)


def held_by_session() -> dict[str, int]:
    """Bytes of the uploaded files that Streamlit keeps in memory, by session."""
    if not runtime.exists():
        return {}
    storage = runtime.get_instance().uploaded_file_mgr.file_storage
    return {session: sum(len(file.data) for file in list(files.values())) for session, files in list(storage.items())}


def _who(scope: Scope) -> str:
    return scope.get(WHO, ADDRESS)


def _take_off(tally: Counter[str], who: str, number: int) -> None:
    tally[who] -= number
    if tally[who] <= 0:
        del tally[who]


def _is_page(scope: Scope) -> bool:
    """Whether a browser asks for a page of Streamlit's, which would open a window."""
    if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
        return False
    path: str = scope["path"]
    if path.startswith(("/_stcore/", "/static/", "/media/", "/component/", "/auth/", "/oauth2callback")):
        return False
    return "text/html" in Headers(scope=scope).get("accept", "")


def _full_page(request: HTTPConnection) -> Response:
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
    return PlainTextResponse(said, 503, {"Retry-After": str(_RETRY_SECONDS)})


async def _refuse_window(scope: Scope, receive: Receive, send: Send) -> None:
    await receive()
    if "websocket.http.response" in scope.get("extensions", {}):
        await WebSocket(scope, receive, send).send_denial_response(_later("As many windows are open as may be"))
    else:
        await send({"type": "websocket.close", "code": 1013})
