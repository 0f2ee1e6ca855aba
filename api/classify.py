"""One product: a picture, a text or both; its categories, and on demand why."""

import base64
import io
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Request, Security
from fastapi.responses import Response
from PIL import Image
from pydantic import BaseModel, Field

from api.access import Caller, caller
from api.answers import Classification, Inputs, Labels, Ranked, Reasons, Shares, Word
from api.forms import Limits, described, multipart
from api.problems import Problem, documented
from model.active import active_classifier
from model.product import Explanation, Prediction, Product
from model.reading import MAX_TEXT
from model.taxonomy import Taxonomy
from preprocessing.image import MAX_BYTES
from watch.classifying import classify as ask
from watch.classifying import explain as explained

router = APIRouter(tags=["classify"])
_FILES = {"image": "A picture: JPEG, PNG, WEBP, GIF or BMP, up to 20 MB and 40 million pixels."}
_LIMITS = Limits(total=MAX_BYTES + 2**20, text=2**18, seconds=60)
_HEATMAP_SIDE = 640
_EXAMPLE = {"designation": "Canapé d'angle convertible gris", "top_k": 3, "explain": True}


class ClassifyForm(BaseModel):
    """At least one of `designation`, `description` and `image`."""

    designation: str | None = Field(None, description="What the seller calls it.")
    description: str | None = None
    top_k: Annotated[int, Field(ge=1, le=10_000, description="Categories in the answer, at most all there are.")] = 5
    explain: bool = Field(False, description="Also why: words, shares of the inputs, heat map.")


@router.post(
    "/classify",
    summary="Classify a product",
    response_model=Classification,
    responses={
        200: {"content": {"image/png": {"schema": {"type": "string", "format": "binary"}}}},
        **documented(400, 401, 403, 406, 408, 413, 415, 422, 429, 500, 503),
    },
    openapi_extra=described(ClassifyForm, _FILES, required=False, example=_EXAMPLE),
)
async def classify(request: Request, mine: Annotated[Caller, Security(caller, scopes=["classify"])]) -> Response:
    """Ranked categories with calibrated probabilities.

    With `Accept: image/png` the answer is the heat map of the first category alone.
    """
    as_picture = _wants_picture(request.headers.get("accept", ""))
    workers = request.app.state.classifying
    workers.check()
    with request.app.state.products.taken(mine.owner):
        async with multipart(request, ClassifyForm, frozenset(_FILES), _LIMITS) as (form, files):
            image = await files["image"].read() if "image" in files else None
    product = Product(_given(form.designation), _given(form.description), image)
    if product == Product():
        raise Problem(422, "nothing", "There is nothing to classify: send a designation, a description or an image.")
    if as_picture and image is None:
        raise Problem(422, "no_image", "A heat map needs an image.")
    with request.app.state.answers.taken(mine.owner):
        answer, heatmap = await workers.run(_classify, product, form.top_k, form.explain or as_picture)
    if as_picture:
        return Response(heatmap or _png(np.zeros((1, 1), np.uint8)), media_type="image/png")
    return Response(answer.model_dump_json(), media_type="application/json")


def _given(text: str | None) -> str | None:
    """None for a blank text; any other as it was sent, for offsets count from its start."""
    return text if text and not text.isspace() else None


def _wants_picture(accept: str) -> bool:
    """Problem 406 when the client takes neither JSON nor PNG."""
    kinds = [kind.split(";")[0].strip().lower() for kind in accept.split(",")]
    if not accept or {"application/json", "application/*", "*/*"} & set(kinds):
        return False
    if {"image/png", "image/*"} & set(kinds):
        return True
    raise Problem(406, "accept", "There are two kinds of answer: application/json and image/png.")


def _classify(product: Product, top_k: int, explain: bool) -> tuple[Classification, bytes | None]:
    """The answer and its heat map as PNG; `ImageError` for a picture that cannot be used."""
    classifier = active_classifier()
    most = len(classifier.taxonomy)
    if top_k > most:
        raise Problem(422, "top_k", f"The model has {most} categories: top_k is at most {most}.")
    prediction = ask(classifier, product, "api", strict=True)
    settings = classifier.bundle.manifest["settings"]
    answer = Classification(
        categories=_ranked(prediction, top_k, classifier.taxonomy),
        margin=prediction.margin,
        prediction_set=list(prediction.prediction_set),
        coverage=settings["coverage"],
        threshold=settings["threshold"],
        automatic=prediction.confidence >= settings["threshold"] and (prediction.used_text or prediction.used_image),
        inputs=Inputs(text=prediction.used_text, image=prediction.used_image, words=prediction.words),
        notes=_notes(product, prediction),
        model=prediction.model_version,
    )
    if not explain:
        return answer, None
    explanation = explained(classifier, product, prediction.code, "api")
    heatmap = _heatmap(explanation)
    answer.explanation = _reasons(explanation, heatmap)
    return answer, heatmap


def _ranked(prediction: Prediction, top_k: int, taxonomy: Taxonomy) -> list[Ranked]:
    return [
        Ranked(code=one.code, label=Labels.of(taxonomy[one.code]), probability=one.probability)
        for one in prediction.categories[:top_k]
    ]


def _notes(product: Product, prediction: Prediction) -> list[str]:
    notes = []
    if not prediction.used_text and not prediction.used_image:
        notes.append("Nothing could be read: the answer is how common each category is.")
    elif not prediction.used_text and (product.designation or product.description):
        notes.append("No word could be read: the answer rests on the picture alone.")
    if max(len(product.designation or ""), len(product.description or "")) > MAX_TEXT:
        notes.append(f"Only the first {MAX_TEXT} characters of each text are read.")
    return notes


def _reasons(explanation: Explanation, heatmap: bytes | None) -> Reasons:
    words: list[dict[str, Any]] = [
        {"field": w.field, "start": w.start, "end": w.end, "text": w.text, "contribution": w.total}
        for w in explanation.words
    ]
    return Reasons(
        code=explanation.code,
        logit=explanation.logit,
        words=[Word(**word) for word in words],
        shares=Shares(**explanation.shares),
        heatmap=None if heatmap is None else base64.b64encode(heatmap).decode(),
    )


def _heatmap(explanation: Explanation) -> bytes | None:
    """A grey PNG over the whole upright picture; black all over where nothing speaks for the category."""
    if explanation.geometry is None:
        return None
    width, height = explanation.geometry.picture_size
    scale = min(1.0, _HEATMAP_SIDE / max(width, height))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    if explanation.heatmap is None:
        return _png(np.zeros(size[::-1], np.uint8))
    heat = np.clip(explanation.geometry.to_picture(explanation.heatmap, size), 0, 1)
    return _png(np.rint(heat * 255).astype(np.uint8))


def _png(grey: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(grey).save(buffer, "PNG")
    return buffer.getvalue()
