"""Word pieces of the sentence encoder, kept to the few that folded text can produce."""

from dataclasses import dataclass

import numpy as np
import sentencepiece

MAX_CHARACTERS = 300
"""The encoder reads the start of a text: what a product is stands first, and cost grows with length."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A word piece: its row in the embedding and where it stands in the folded text."""

    row: int
    start: int
    end: int


class PieceVocabulary:
    """SentencePiece model and the pieces that are kept. Row 0 is padding; kept piece ``i`` has row ``i + 1``."""

    def __init__(self, model: bytes, kept: np.ndarray) -> None:
        """``model``: a serialised SentencePiece model. ``kept``: int32 (n,) piece ids, ascending."""
        self.model, self.kept = model, kept
        self._processor = sentencepiece.SentencePieceProcessor(model_proto=model)
        self._rows = {int(piece): row for row, piece in enumerate(kept, 1)}
        self._unknown = self._rows[self._processor.unk_id()]
        self._begin = self._rows[self._processor.bos_id()]
        self._end = self._rows[self._processor.eos_id()]

    @classmethod
    def for_folded_text(cls, model: bytes) -> "PieceVocabulary":
        """Keeps the control pieces and those of lower-case ASCII: all that folded Latin text is made of."""
        processor = sentencepiece.SentencePieceProcessor(model_proto=model)
        control = {processor.unk_id(), processor.bos_id(), processor.eos_id()}

        def keep(piece: int) -> bool:
            text = processor.id_to_piece(piece).replace("\u2581", "")
            return piece in control or (text.isascii() and text == text.lower())

        return cls(model, np.array([i for i in range(processor.vocab_size()) if keep(i)], np.int32))

    def encode(self, folded: str) -> np.ndarray:
        """Rows (int32, n) of a folded text with begin and end marks; empty for an empty text."""
        if not folded:
            return np.zeros(0, np.int32)
        found = [self._rows.get(i, self._unknown) for i in self._processor.encode(folded[:MAX_CHARACTERS])]
        return np.array([self._begin, *found, self._end], np.int32)

    def pieces(self, folded: str) -> list[Piece]:
        """The pieces of a folded text with their offsets in it, without the begin and end marks."""
        text = folded[:MAX_CHARACTERS]
        encoded = self._processor.encode(text, return_type="proto")
        # SentencePiece counts bytes; a byte inside a character belongs to that character.
        character = [i for i, c in enumerate(text) for _ in c.encode()] + [len(text)]
        return [
            Piece(self._rows.get(p.id, self._unknown), character[p.begin], character[p.end]) for p in encoded.pieces
        ]
