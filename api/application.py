"""The REST interface as an ASGI application, to be mounted at `PREFIX` beside the pages."""

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import about, classify, health, jobs
from api.access import Guard
from api.health import Readiness, look
from api.problems import ProblemDetails, handle_errors
from api.rate import RateLimiter
from api.workers import Places, Workers
from settings import settings

PREFIX = "/api/v1"
THREADS, WAITING = 2, 16
"""Products that are classified at once, and that wait for it; the network itself uses all cores for each."""
PRODUCTS, FILES = 32, 4
"""Products and files whose bodies are taken in at once."""
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_DESCRIPTION = """Puts products of a marketplace into categories, by picture and text, and says why.

Every error is an `application/problem+json` (RFC 9457): its `reason` is for programs, its `detail` says what to do.
503 and 429 come with `Retry-After`."""


def application(local: Callable[[], bool] = lambda: False, look: Callable[[], str] = look) -> FastAPI:
    """The interface. ``local``: the server is open to this machine, and to no other, as long as there is no token."""
    app = FastAPI(
        title="Rayon",
        version="1",
        description=_DESCRIPTION,
        servers=[{"url": PREFIX}],
        root_path_in_servers=False,
        docs_url=None,  # these two fetch their scripts from elsewhere
        redoc_url=None,
        openapi_url="/openapi.json",
        redirect_slashes=False,
    )
    app.state.guard = Guard(local, RateLimiter(settings().api_rate))
    app.state.classifying = Workers("classify", THREADS, WAITING)
    app.state.answers = Places(THREADS + WAITING)
    app.state.working = Workers("jobs", 2, 32, retry_seconds=5)
    app.state.products, app.state.files = Places(PRODUCTS), Places(FILES, retry_seconds=30)
    app.state.readiness = Readiness(look)
    for part in (classify, jobs, about, health):
        app.include_router(part.router)
    handle_errors(app)
    app.openapi = lambda: app.openapi_schema or _describe(app)
    return app


def _describe(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI description, errors as they are."""
    found = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes, servers=app.servers
    )
    schemas = found["components"]["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    definition = ProblemDetails.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= {**definition.pop("$defs"), "ProblemDetails": definition}
    app.openapi_schema = found
    return found


class BesidePages:
    """ASGI middleware: what is below `PREFIX` goes to the interface, the rest to the pages.

    Before the pages' own middleware: no cookie of theirs, no answer of theirs reaches a program.
    """

    def __init__(self, app: ASGIApp, api: ASGIApp) -> None:
        self._pages, self._api = app, Headers(api)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope.get("path", "")
        if scope["type"] == "http" and (path == PREFIX or path.startswith(f"{PREFIX}/")):
            scope = {**scope, "root_path": scope.get("root_path", "") + PREFIX}
            await self._api(scope, receive, send)
        else:
            await self._pages(scope, receive, send)


class Headers:
    """ASGI middleware: every answer says that it is no page and is not to be kept."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        await self._app(scope, receive, with_headers)
