"""A product's text as the text branches see it, with the way back to what the user typed."""

from dataclasses import dataclass

from preprocessing.text import FoldedText, Token, fold, tokenize_folded

FIELDS = ("designation", "description")
MAX_TEXT = 4_000
"""Characters read of each field; what a listing says later does not change its aisle."""


@dataclass(frozen=True, slots=True)
class ReadText:
    """Both fields of a product, folded and tokenised; ``fields[i]`` is where ``tokens[i]`` stands."""

    folded: dict[str, FoldedText]
    tokens: list[Token]
    fields: list[str]

    @property
    def sentence(self) -> str:
        """Folded fields joined by a space, for the sentence encoder."""
        return " ".join(part.text for part in self.folded.values() if part.text)

    @property
    def by_field(self) -> tuple[list[Token], list[Token]]:
        """The tokens of the designation and those of the description."""
        title = self.fields.count(FIELDS[0])
        return self.tokens[:title], self.tokens[title:]

    def place(self, start: int, end: int) -> tuple[str, int, int] | None:
        """Field and raw offsets behind a span of `sentence`; None between the fields."""
        for field, part in self.folded.items():
            if not part.text:
                continue
            if start < len(part.text):
                return (field, *part.span(start, min(end, len(part.text)))) if end > start else None
            start, end = start - len(part.text) - 1, end - len(part.text) - 1
            if start < 0:
                start = 0  # the piece begins with the space between the fields
        return None


def read_text(designation: str | None, description: str | None) -> ReadText:
    """Reads the fields of a product; either may be None or empty."""
    folded, tokens, fields = {}, [], []
    for field, raw in zip(FIELDS, (designation, description), strict=True):
        folded[field] = fold((raw or "")[:MAX_TEXT])
        found = tokenize_folded(folded[field])
        tokens += found
        fields += [field] * len(found)
    return ReadText(folded, tokens, fields)
