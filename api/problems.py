"""Errors as RFC 9457 has them: ``application/problem+json``, with a sentence that says what to do."""

import json
import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from decisions.errors import DecisionError
from model.bundle_files import BundleError
from preprocessing.errors import InputError
from watch.classifying import overloaded, refused
from watch.logs import request_id

MEDIA_TYPE = "application/problem+json"
log = logging.getLogger(__name__)


class FieldError(BaseModel):
    """What is wrong with one field."""

    field: str = Field(examples=["top_k"])
    detail: str = Field(examples=["Input should be greater than or equal to 1"])


class ProblemDetails(BaseModel):
    """RFC 9457. ``reason`` names the cause for programs, ``detail`` is a sentence, ``instance`` is found in the log."""

    type: str = Field(examples=["urn:rayon:problem:not_an_image"])
    title: str = Field(examples=["Unprocessable Content"])
    status: int = Field(examples=[422])
    detail: str = Field(examples=["The file is not an image: send a picture as one of JPEG, PNG, WEBP, GIF, BMP."])
    reason: str = Field(examples=["not_an_image"])
    instance: str | None = Field(None, examples=["urn:rayon:request:7f3c0a52c1f94d0e8d3b5a6e9c1f2a3b"])
    errors: list[FieldError] | None = None


class Problem(HTTPException):
    """An error answer. ``more``: members beside those of RFC 9457."""

    def __init__(
        self,
        status: int,
        reason: str,
        detail: str,
        headers: Mapping[str, str] | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(status, detail, dict(headers or {}))
        self.reason, self.more = reason, dict(more or {})


def busy(detail: str, seconds: int) -> Problem:
    """The server has enough to do."""
    return Problem(503, "busy", detail, {"Retry-After": str(seconds)})


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The errors of a route, for its OpenAPI description."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}}
    return {status: {"description": HTTPStatus(status).phrase, "content": content} for status in sorted(statuses)}


def handle_errors(app: FastAPI) -> None:
    """Makes every error of the application a problem."""
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(InputError, _input)
    app.add_exception_handler(DecisionError, _store)
    app.add_exception_handler(BundleError, _model)
    app.add_exception_handler(Exception, _unexpected)


async def _http(_request: Request, error: HTTPException) -> Response:
    if isinstance(error, Problem):
        return answer(error)
    sentences = {
        404: "There is nothing at this address: /api/v1/openapi.json lists what there is.",
        405: "This address does not take that method.",
    }
    phrase = HTTPStatus(error.status_code).phrase
    detail = sentences.get(error.status_code, str(error.detail))
    return answer(Problem(error.status_code, phrase.lower().replace(" ", "_"), detail, error.headers))


async def _invalid(_request: Request, error: RequestValidationError) -> Response:
    # Only where and why: what was sent is the client's own, and has no place in an answer or a log.
    errors = [{"field": ".".join(map(str, one["loc"][1:])), "detail": one["msg"]} for one in error.errors()]
    said = "; ".join(f"{one['field']}: {one['detail']}" for one in errors)
    return answer(Problem(422, "invalid", f"The request cannot be used: {said}", more={"errors": errors}))


async def _input(_request: Request, error: InputError) -> Response:
    return answer(Problem(422, error.reason, str(error)))


async def _store(_request: Request, error: DecisionError) -> Response:
    log.error("the database cannot be used: %s", error)
    return answer(Problem(503, "database", "The database is out of reach: try again later.", {"Retry-After": "10"}))


async def _model(_request: Request, error: BundleError) -> Response:
    log.error("the model cannot be used: %s", error)
    detail = "The model is refused, so nothing can be classified: whoever runs this server finds the reason in its log."
    return answer(Problem(503, "model", detail, {"Retry-After": "60"}))


async def _unexpected(_request: Request, error: Exception) -> Response:
    detail = "Something went wrong on the server, and is in its log. The same request may fail again."
    return answer(Problem(500, "internal", detail))


def answer(problem: Problem) -> Response:
    """The problem as a response."""
    refused("api", problem.reason)
    if problem.reason == "busy":
        overloaded()
    request = request_id.get()
    body = {
        "type": f"urn:rayon:problem:{problem.reason}",
        "title": HTTPStatus(problem.status_code).phrase,
        "status": problem.status_code,
        "detail": problem.detail,
        "reason": problem.reason,
        **({"instance": f"urn:rayon:request:{request}"} if request else {}),
        **problem.more,
    }
    content = json.dumps(body, ensure_ascii=True)  # text from outside may hold half characters
    return Response(content, problem.status_code, problem.headers, MEDIA_TYPE)
