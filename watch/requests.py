"""Every request: counted, timed, given a name, and written to the log in one line without anything that was sent."""

import logging
import re
import time
import uuid
from collections.abc import Iterable
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from watch.logs import request_id
from watch.metrics import metrics

HEADER = "X-Request-ID"
_NOTES = "rayon.notes"
_FORM = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}")
_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
_EXACT = ("/metrics", "/_stcore/health", "/_stcore/script-health-check", "/_stcore/stream", "/oauth2callback")
_BELOW = ("/_stcore/", "/static/", "/media/", "/component/", "/auth/")
OTHER = "other"
GONE = 499
"""The client went away before it was answered; of no standard, but what nginx says."""
log = logging.getLogger("rayon.requests")


def note(scope: Scope, **what: str) -> None:
    """Says something about a request to who watches it: its ``route``, the ``role`` of who asks."""
    notes = scope.get(_NOTES)
    if notes is not None:
        notes.update(what)


class Named:
    """ASGI middleware around the interface: tells the route's template. ``prefix``: where it is mounted."""

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        self._app, self._prefix = app, prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hands on."""
        try:
            await self._app(scope, receive, send)
        finally:
            path = getattr(scope.get("route"), "path", None)
            note(scope, route=f"{self._prefix}/{OTHER}" if path is None else f"{self._prefix}{path}")


class Watch:
    """ASGI middleware, the outermost. ``pages``: their paths."""

    def __init__(self, app: ASGIApp, pages: Iterable[str] = ()) -> None:
        self._app, self._pages = app, frozenset(pages)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hands on, and looks at what comes of it."""
        if scope["type"] == "http":
            await self._request(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._window(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        start, status, gone = time.perf_counter(), 0, False
        identity = named(Headers(scope=scope).get(HEADER))
        notes: dict[str, str] = {}
        token = request_id.set(identity)

        async def heard() -> Message:
            nonlocal gone
            message = await receive()
            gone = gone or (message["type"] == "http.disconnect" and not status)
            return message

        async def answered(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[HEADER] = identity
            await send(message)

        try:
            await self._app({**scope, _NOTES: notes}, heard, answered)
        except ClientDisconnect:  # nobody is left to be answered, and nothing went wrong here
            gone = gone or not status
        finally:
            request_id.reset(token)
            route = notes.get("route") or self.route(scope["path"])
            self._tell(scope, route, GONE if gone else status or 500, time.perf_counter() - start, identity, notes)

    @staticmethod
    def _tell(scope: Scope, route: str, status: int, seconds: float, identity: str, notes: dict[str, str]) -> None:
        method = scope["method"] if scope["method"] in _METHODS else OTHER
        found = metrics()
        found.requests.labels(route, method, str(status)).inc()
        found.request_seconds.labels(route, method).observe(seconds)
        told: dict[str, Any] = {"request": identity, "route": route, "method": method, "status": status}
        more = {"ms": round(1000 * seconds, 1), "role": notes.get("role")}
        log.info("%s %s %d", method, route, status, extra=told | more)

    async def _window(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Counted from when it is accepted to when it ends."""
        windows, open_ = metrics().windows, False

        async def accepted(message: Message) -> None:
            nonlocal open_
            if message["type"] == "websocket.accept" and not open_:
                open_ = True
                windows.inc()
            await send(message)

        try:
            await self._app({**scope, _NOTES: {}}, receive, accepted)
        finally:
            if open_:
                windows.dec()

    def route(self, path: str) -> str:
        """One of a few names for any path."""
        if path in _EXACT or path in self._pages:
            return path
        return next((f"{start}*" for start in _BELOW if path.startswith(start)), OTHER)


def named(given: str | None) -> str:
    """The name that a request brought, if it is well formed, else a new one."""
    return given if given and _FORM.fullmatch(given) else uuid.uuid4().hex
