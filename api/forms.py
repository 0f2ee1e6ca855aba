"""Forms on their way in, measured while they come: nothing over a limit is held, and texts are UTF-8 or refused."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect

from api.problems import Problem

Form = TypeVar("Form", bound=BaseModel)
MULTIPART = "multipart/form-data"
_MOST_FIELDS = 40
IDLE_SECONDS = 20.0
"""Without a byte: whoever sends nothing keeps no place."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one form: bytes of the whole, of each text, seconds until all of it is here."""

    total: int
    text: int
    seconds: float


@asynccontextmanager
async def multipart(request: Request, form: type[Form], files: frozenset[str], limits: Limits) -> AsyncIterator:
    """The form's fields, checked, and its files by name; Problem. The files are gone at the end."""
    data = await _read(request, limits)
    try:
        yield _fields(data, form, files), {name: data[name] for name in files if name in data}
    finally:
        await data.close()


async def _read(request: Request, limits: Limits) -> FormData:
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind != MULTIPART:
        raise Problem(415, "media_type", f"Send a form as {MULTIPART}.", {"Accept": MULTIPART})
    announced = request.headers.get("content-length", "")
    if announced.isascii() and announced.isdigit() and int(announced[:20]) > limits.total:
        raise _too_large(limits.total)
    parser = _Parser(
        request.headers,
        _measured(request, limits.total),
        max_files=_MOST_FIELDS,
        max_fields=_MOST_FIELDS,
        max_part_size=limits.text,
    )
    try:
        async with asyncio.timeout(limits.seconds):
            return await parser.parse()
    except TimeoutError:
        raise Problem(408, "slow", f"The request was not here after {limits.seconds:.0f} s.") from None
    except ClientDisconnect:
        raise Problem(400, "cut_off", "The request was cut off.") from None
    except HTTPException:
        raise
    except MultiPartException as error:
        if error.message.startswith("Part exceeded"):
            detail = f"A text is over the limit of {limits.text // 1024} KB."
            raise Problem(413, "too_large", detail, {"Connection": "close"}) from None
        raise Problem(400, "form", f"The form cannot be read: {error.message}") from None
    except (ValueError, LookupError) as error:  # of a damaged boundary or header
        raise Problem(400, "form", "The form cannot be read.") from error


async def _measured(request: Request, limit: int) -> AsyncGenerator[bytes, None]:
    """The body as it comes, up to the limit."""
    size, chunks = 0, request.stream()
    while True:
        try:
            async with asyncio.timeout(IDLE_SECONDS):
                chunk = await anext(chunks)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise Problem(408, "slow", f"Nothing came for {IDLE_SECONDS:.0f} s.", {"Connection": "close"}) from None
        size += len(chunk)
        if size > limit:
            raise _too_large(limit)
        yield chunk


def _too_large(limit: int) -> Problem:
    return Problem(413, "too_large", f"The request is over the limit of {limit // 2**20} MB.", {"Connection": "close"})


class _Parser(MultiPartParser):
    """Refuses texts that are not UTF-8, which Starlette would take for Latin-1, and a body without its end."""

    ended = False

    def on_end(self) -> None:
        self.ended = True

    async def parse(self) -> FormData:
        data = await super().parse()
        if not self.ended:
            await data.close()
            raise MultiPartException("its end is missing.")
        return data

    def on_part_end(self) -> None:
        if self._current_part.file is None:
            _check_utf8(bytes(self._current_part.data), self._current_part.field_name)
        super().on_part_end()

    def on_headers_finished(self) -> None:
        self._charset = "utf-8"
        _check_utf8(self._current_part.content_disposition or b"", "Content-Disposition")
        super().on_headers_finished()


def _check_utf8(data: bytes, field: str) -> None:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        detail = f"{field[:40]!r} is not UTF-8 (byte {error.start + 1}): send texts in UTF-8."
        raise Problem(422, "not_utf8", detail) from None


def _fields(data: FormData, form: type[Form], files: frozenset[str]) -> Form:
    texts: dict[str, str] = {}
    errors: list[dict[str, Any]] = []
    known = form.model_fields.keys() | files
    for name, value in data.multi_items():
        is_file = isinstance(value, UploadFile)
        if name not in known:
            errors.append(_error(name, f"There is no such field: {', '.join(sorted(known))}"))
        elif len(data.getlist(name)) > 1:
            errors.append(_error(name, "The field is there more than once"))
        elif is_file != (name in files):
            errors.append(_error(name, "The field has to be a file (with a filename)" if not is_file else "No file"))
        elif not is_file:
            texts[name] = value
    if not errors:
        try:
            return form.model_validate(texts)
        except ValidationError as error:
            errors = [{**one, "loc": ("body", *one["loc"])} for one in error.errors()]
    raise RequestValidationError(errors)


def _error(name: str, message: str) -> dict[str, Any]:
    return {"loc": ("body", name[:40]), "msg": message, "type": "value_error"}


def described(form: type[BaseModel], files: Mapping[str, str], required: bool, example: dict) -> dict[str, Any]:
    """A form for the OpenAPI description of its route. ``files``: what each is."""
    schema = form.model_json_schema()
    schema["properties"] |= {
        name: {"type": "string", "format": "binary", "description": text} for name, text in files.items()
    }
    schema["additionalProperties"] = False
    if required:
        schema["required"] = list(files)[:1]
    return {"requestBody": {"required": True, "content": {MULTIPART: {"schema": schema, "example": example}}}}
