"""Lexical features: TF-IDF of word 1-2-grams and character 3-5-grams, traceable to single words."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import pairwise

import numpy as np

from preprocessing.text import Token, mask_digits

PADDING_ID = 0
TEXT_ID = 1
"""Always on when there is text: carries the intercept of the lexical branch."""
_FIRST_ID = 2
_CHARACTER_LENGTHS = (3, 4, 5)


def character_ngrams(word: str) -> list[str]:
    """Character 3-5-grams of a word with a space on each side; a short word is one n-gram."""
    padded = f" {word} "
    grams = []
    for length in _CHARACTER_LENGTHS:
        if len(padded) <= length:
            grams.append(padded)
            break
        grams += [padded[i : i + length] for i in range(len(padded) - length + 1)]
    return grams


def masked(tokens: Iterable[Token]) -> list[str]:
    """The words of a text as the vocabulary knows them."""
    return [mask_digits(token.text) for token in tokens]


def _frequent(frequency: Counter[str], least: int, most: int | None) -> list[str]:
    """The n-grams with a frequency of ``least`` and more, in order of letters; the ``most`` frequent of them."""
    found = sorted(gram for gram, df in frequency.items() if df >= least)
    if most is not None and len(found) > most:
        found = sorted(sorted(found, key=lambda gram: -frequency[gram])[:most])
    return found


class LexicalVocabulary:
    """Known n-grams with their inverse document frequency; turns tokens into (ids, weights).

    Weights are ``(1 + ln tf) * idf``, scaled to unit length within the word n-grams and within the
    character n-grams (Salton & Buckley 1988), so each group weighs the same whatever the text's length.
    """

    def __init__(self, words: list[str], characters: list[str], idf: np.ndarray) -> None:
        """``idf``: float32 (len(words) + len(characters),), in that order."""
        if len(idf) != len(words) + len(characters):
            raise ValueError("one idf per n-gram is needed")
        self.words, self.characters = words, characters
        self.idf = np.concatenate([np.zeros(_FIRST_ID, np.float32), np.asarray(idf, np.float32)])
        self._word_ids = {gram: i for i, gram in enumerate(words, _FIRST_ID)}
        self._character_ids = {gram: i for i, gram in enumerate(characters, _FIRST_ID + len(words))}
        # Words repeat (Zipf): looking their character n-grams up once is most of the speed.
        self._ids_in_word = lru_cache(maxsize=100_000)(self._look_up_characters)

    def __len__(self) -> int:
        """Number of ids, the two reserved ones included."""
        return len(self.idf)

    @classmethod
    def fit(
        cls, documents: Iterable[Sequence[str]], min_documents: int = 2, most: int | None = None
    ) -> "LexicalVocabulary":
        """N-grams of documents of `masked` words; idf is ``ln((1 + n) / (1 + df)) + 1``.

        They stand in at least ``min_documents`` documents; ``most`` keeps that many of the word n-grams and of the
        character n-grams, the most frequent.
        """
        frequency_words: Counter[str] = Counter()
        frequency_characters: Counter[str] = Counter()
        grams_of = lru_cache(maxsize=200_000)(character_ngrams)
        n = 0
        for words in documents:
            n += 1
            different = set(words)
            frequency_characters.update({gram for word in different for gram in grams_of(word)})
            different.update(f"{a} {b}" for a, b in pairwise(words))
            frequency_words.update(different)
        kept = [_frequent(found, min_documents, most) for found in (frequency_words, frequency_characters)]
        frequencies = [frequency_words[g] for g in kept[0]] + [frequency_characters[g] for g in kept[1]]
        return cls(*kept, np.log((1 + n) / (1 + np.array(frequencies, np.float64))) + 1)

    def encode(self, tokens: list[Token]) -> tuple[np.ndarray, np.ndarray]:
        """Feature ids (int32, n) and weights (float32, n); both empty when there is no token."""
        return self.encode_words(masked(tokens))

    def encode_words(self, masked: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """As `encode`, from `masked` words."""
        if not masked:
            return np.zeros(0, np.int32), np.zeros(0, np.float32)
        get = self._word_ids.get
        words = [get(word, 0) for word in masked]
        words += [get(f"{a} {b}", 0) for a, b in pairwise(masked)]
        characters = [gram for word in masked for gram in self._ids_in_word(word)]
        groups = [self._weigh(Counter(filter(None, words))), self._weigh(Counter(characters))]
        ids = np.concatenate([np.array([TEXT_ID], np.int32)] + [group[0] for group in groups])
        weights = np.concatenate([np.ones(1, np.float32)] + [group[1] for group in groups])
        return ids, weights

    def unknown(self, tokens: Iterable[Token]) -> int:
        """How many tokens are no word of the vocabulary."""
        return sum(word not in self._word_ids for word in masked(tokens))

    def shares(self, tokens: list[Token]) -> dict[int, list[tuple[int, float]]]:
        """For each feature id of a text: which tokens it stands in, as (token index, share); shares sum to 1.

        A word 2-gram belongs half to each of its words; a feature seen several times, in equal parts.
        """
        words = masked(tokens)
        places: dict[int, list[tuple[int, float]]] = defaultdict(list)
        for i, word in enumerate(words):
            for feature in (self._word_ids.get(word, 0), *self._ids_in_word(word)):
                places[feature].append((i, 1.0))
            if i + 1 < len(words):
                pair = self._word_ids.get(f"{word} {words[i + 1]}", 0)
                places[pair] += [(i, 0.5), (i + 1, 0.5)]
        places.pop(0, None)
        totals = {feature: sum(share for _, share in found) for feature, found in places.items()}
        return {f: [(i, share / totals[f]) for i, share in found] for f, found in places.items()}

    def _look_up_characters(self, word: str) -> list[int]:
        return [i for gram in character_ngrams(word) if (i := self._character_ids.get(gram))]

    def _weigh(self, counts: Counter[int]) -> tuple[np.ndarray, np.ndarray]:
        ids = np.fromiter(counts.keys(), np.int32, len(counts))
        frequency = (1 + np.log(np.fromiter(counts.values(), np.float64, len(counts)))).astype(np.float32)
        weights = frequency * self.idf[ids]
        norm = float(np.sqrt(weights @ weights))
        return ids, (weights / norm if norm else weights).astype(np.float32)
