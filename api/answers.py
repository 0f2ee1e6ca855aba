"""What the REST interface answers with, and how that is documented."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from model.taxonomy import Category


class Labels(BaseModel):
    """A category's name."""

    fr: str = Field(examples=["Mobilier"])
    en: str = Field(examples=["Furniture"])

    @classmethod
    def of(cls, category: Category) -> "Labels":
        return cls(fr=category.label_fr, en=category.label_en)


class CategoryAnswer(BaseModel):
    """A category of the model in use."""

    code: int = Field(examples=[1560])
    label: Labels
    scope: str = Field(description="What belongs there, in English.")


class Ranked(BaseModel):
    """A category with its calibrated probability."""

    code: int = Field(examples=[1560])
    label: Labels
    probability: float = Field(ge=0, le=1, examples=[0.93])


class Inputs(BaseModel):
    """What the answer rests on."""

    text: bool
    image: bool
    words: int = Field(ge=0, description="Words read in designation and description together.")


class Word(BaseModel):
    """What one word adds to the category's logit, or takes from it."""

    field: Literal["designation", "description"]
    start: int = Field(ge=0, description="Offset in the field as it was sent, in characters.")
    end: int = Field(ge=0)
    text: str
    contribution: float


class Shares(BaseModel):
    """How much each input weighed; they add up to 1, or are all 0."""

    image: float = Field(ge=0, le=1)
    words: float = Field(ge=0, le=1)
    meaning: float = Field(ge=0, le=1)


class Reasons(BaseModel):
    """Why a category has the logit it has."""

    code: int
    logit: float
    words: list[Word]
    shares: Shares
    heatmap: str | None = Field(
        description="PNG in base64: where the picture speaks for the category, white most; as large as the upright "
        "picture, 640 pixels a side at most. null without a picture."
    )


class Classification(BaseModel):
    """The categories of a product, the most probable first."""

    categories: list[Ranked]
    margin: float = Field(ge=0, le=1, description="Probability of the first less that of the second.")
    prediction_set: list[int] = Field(description="Fewest codes that hold the right one with the stated coverage.")
    coverage: float = Field(ge=0, le=1)
    threshold: float = Field(ge=0, le=1)
    automatic: bool = Field(description="Whether the first is sure enough to go without a person.")
    inputs: Inputs
    notes: list[str] = Field(description="What should be known about the input, in English.")
    model: str = Field(description="Version of the model.")
    explanation: Reasons | None = None


class ModelAnswer(BaseModel):
    """The model in use."""

    name: str
    version: str
    categories: int
    threshold: float
    coverage: float
    metrics: dict[str, Any] | None = Field(description="Measured on held-out listings; null when the model has none.")
    access: Literal["open", "token"] = Field(
        description="open: anybody on this machine may ask; the server listens on it alone, and no token was ever made."
    )


class JobProblem(BaseModel):
    """Why a job failed."""

    kind: str
    reason: str
    detail: str


class JobAnswer(BaseModel):
    """A job and how far it is."""

    id: str = Field(examples=["0123456789abcdef0123456789abcdef"])
    name: str = Field(examples=["products.csv"])
    state: Literal["draft", "waiting", "running", "done", "cancelled", "failed"]
    rows: int
    done: int
    rows_per_second: float | None
    seconds_left: float | None
    pictures: dict[str, int] = Field(description="Rows done by what became of their picture.")
    problem: JobProblem | None
    model: str | None
    created: datetime
    expires: datetime
    columns: dict[str, str | None] | None = Field(description="The column of the table for each role.")
    notices: list[str] = Field(default=[], description="What was accepted but should be known; when a job is made.")


class Jobs(BaseModel):
    """The caller's jobs, newest first."""

    jobs: list[JobAnswer]


class Health(BaseModel):
    """ "ok", or why not."""

    status: str = Field(examples=["ok"])
