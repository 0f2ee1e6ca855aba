"""What the lexical branch reads of a text: with which vocabulary, and in which rows of its table."""

from dataclasses import dataclass

import numpy as np

from model.lexical import LexicalVocabulary
from model.reading import ReadText
from preprocessing.text import Token


@dataclass(frozen=True, slots=True)
class Reading:
    """Some tokens of a text, read with a vocabulary.

    Its features have the rows ``first_row + id`` of the table; ``tokens[0]`` is the text's token ``first_token``.
    """

    weight: float
    vocabulary: LexicalVocabulary
    first_row: int
    tokens: list[Token]
    first_token: int


class LexicalInput:
    """Turns a text into features of the lexical branch.

    With one vocabulary, the mean of two readings: of the designation, and of all of the text; read at once, a long
    description drowns the designation, which says best what a product is. With a vocabulary for descriptions, each
    field has features of its own, and what each says is learned apart.
    """

    def __init__(self, vocabulary: LexicalVocabulary, description: LexicalVocabulary | None = None) -> None:
        self.vocabulary, self.description = vocabulary, description

    def __len__(self) -> int:
        """Rows of the table."""
        return len(self.vocabulary) + (len(self.description) if self.description else 0)

    def readings(self, text: ReadText) -> list[Reading]:
        """How the text is read; no reading is empty."""
        title, rest = text.by_field
        if self.description is None:
            if title and rest:
                return [Reading(0.5, self.vocabulary, 0, part, 0) for part in (title, text.tokens)]
            return [Reading(1.0, self.vocabulary, 0, text.tokens, 0)] if text.tokens else []
        fields = (
            Reading(1.0, self.vocabulary, 0, title, 0),
            Reading(1.0, self.description, len(self.vocabulary), rest, len(title)),
        )
        return [reading for reading in fields if reading.tokens]

    def unknown(self, text: ReadText) -> int:
        """How many words of a text are not in the vocabulary that reads them."""
        if self.description is None:
            return self.vocabulary.unknown(text.tokens)
        title, rest = text.by_field
        return self.vocabulary.unknown(title) + self.description.unknown(rest)

    def encode(self, text: ReadText) -> tuple[np.ndarray, np.ndarray]:
        """Rows of the table (int32, n) and their weights (float32, n), of all readings; the network sums them."""
        ids, weights = [np.zeros(0, np.int32)], [np.zeros(0, np.float32)]
        for reading in self.readings(text):
            found, weight = reading.vocabulary.encode(reading.tokens)
            ids.append(found + np.int32(reading.first_row))
            weights.append(np.float32(reading.weight) * weight)
        return np.concatenate(ids), np.concatenate(weights)
