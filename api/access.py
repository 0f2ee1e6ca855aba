"""Who asks, and whether they may: a token with the route's scope, or anybody on a machine that serves itself alone."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer, SecurityScopes
from starlette.concurrency import run_in_threadpool

from access.exposure import FORWARDED, came_from_here
from api.problems import Problem
from api.rate import RateLimiter
from api.tokens import Tokens
from decisions.store import open_store
from watch.requests import note

_bearer = HTTPBearer(auto_error=False, description="A token made by `python -m api token add NAME --scope SCOPE`.")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks. ``owner``: whose jobs are shown; no browser's secret can be the same."""

    name: str
    owner: str

    @property
    def audited(self) -> str:
        """Who the audit log says it was."""
        return f"client {self.name}" if self.name else "(no token)"


class Guard:
    """``local``: whether the server is open to this machine and no other. ``limiter``: of requests by client."""

    def __init__(self, local: Callable[[], bool], limiter: RateLimiter) -> None:
        self._local, self.limiter = local, limiter
        self._tokens_made = False

    def tokens(self) -> Tokens:
        """Those of this server's database; `DecisionError`."""
        return Tokens(open_store().engine)

    def open(self, tokens: Tokens) -> bool:
        """Whether no token is asked for: on this machine alone, and as long as none was ever made."""
        self._tokens_made = self._tokens_made or tokens.any()
        return not self._tokens_made and self._local()

    def admit(self, request: Request, token: str | None, scopes: list[str]) -> Caller:
        """The caller; Problem 401, 403 or 429."""
        tokens = self.tokens()
        if token is None and self.open(tokens):
            _check_own(request)
            self._count("open")
            return Caller("", "api:open")
        return self.admit_token(request, token, scopes)

    def serves_own(self, request: Request) -> bool:
        """Whether the server is open to this machine alone, and a request comes from there; Problem 403 when it only
        looks so. Asks no database."""
        if not self._local():
            return False
        _check_own(request)
        return True

    def admit_token(self, request: Request, token: str | None, scopes: list[str]) -> Caller:
        """As `admit`, of a server that asks everybody for a token."""
        tokens = self.tokens()
        client = None if token is None else tokens.find(token)
        if client is None:
            self._count(f"address:{request.client.host if request.client else ''}")
            raise _unauthorized(token is not None)
        self._count(f"client:{client.id}")
        if missing := [scope for scope in scopes if scope not in client.scopes]:
            scope = " ".join(scopes)
            detail = f"This token is not for this: it lacks the scope {', '.join(missing)}."
            challenge = f'Bearer realm="rayon", error="insufficient_scope", scope="{scope}"'
            raise Problem(403, "scope", detail, {"WWW-Authenticate": challenge})
        return Caller(client.name, f"api:{client.id}")

    def _count(self, who: str) -> None:
        if seconds := self.limiter.take(who):
            detail = f"Too many requests: the next one is taken in {seconds} s."
            raise Problem(429, "rate", detail, {"Retry-After": str(seconds)})


def _check_own(request: Request) -> None:
    """Problem for what only looks as if it came from this machine: a proxy's request, another site's page."""
    origin = request.headers.get("origin")
    foreign = origin is not None and urlsplit(origin).netloc != request.headers.get("host")
    across = request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin")
    forwarded = any(name in request.headers for name in FORWARDED)
    here = came_from_here(request.scope.get("server"), request.headers.get("host"))
    if forwarded or foreign or across or not here:
        detail = "Without a token only programs on this machine are answered: make one by `python -m api token add`."
        raise Problem(403, "not_local", detail)


def _unauthorized(given: bool) -> Problem:
    detail = "The token is unknown, revoked or expired." if given else "Send a token: Authorization: Bearer TOKEN."
    error = ', error="invalid_token"' if given else ""
    return Problem(401, "token", detail, {"WWW-Authenticate": f'Bearer realm="rayon"{error}'})


async def caller(
    request: Request, scopes: SecurityScopes, given: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Caller:
    """The dependency of every route that is not open to all; it comes before anything of the body is read."""
    note(request.scope, role="program")
    guard: Guard = request.app.state.guard
    token = given.credentials if given is not None else None
    if token is None and "authorization" in request.headers:
        token = ""  # nosec B105 # of another kind, refused like a wrong one
    return await run_in_threadpool(guard.admit, request, token, scopes.scopes)
