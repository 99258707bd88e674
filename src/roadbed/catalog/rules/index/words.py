"""The words of texts: of names and titles, to find what is spelt almost like what somebody typed, and of all."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable

from pyroaring import BitMap
from rapidfuzz import process
from rapidfuzz.distance import OSA

from roadbed.catalog.rules.index.columns import union
from roadbed.catalog.rules.index.text import LETTERS

_WORD = re.compile(r"[^\W\d_][^\W_]*")
_MOST_WORDS = 5
_SHORTEST = 4
_LONG = 6


class Words:
    """Words, each with the numbers of the entities that have it.

    Args:
        words_of: gives those of a text.
        texts: numbers with their texts, as `Index.text_of` gives them.
    """

    def __init__(self, words_of: Callable[[str], set[str]], texts: Iterable[tuple[int, str]]) -> None:
        self._words_of = words_of
        held: defaultdict[str, list[int]] = defaultdict(list)
        for number, text in texts:
            for word in words_of(text):
                held[word].append(number)
        self._numbers = {word: BitMap(numbers) for word, numbers in held.items()}

    def add(self, number: int, text: str) -> None:
        for word in self._words_of(text):
            self._numbers.setdefault(word, BitMap()).add(number)

    def remove(self, number: int, text: str) -> None:
        for word in self._words_of(text):
            numbers = self._numbers[word]
            numbers.discard(number)
            if not numbers:
                del self._numbers[word]

    def find_holding(self, letters: str) -> BitMap:
        """Return the entities with a word that holds these letters."""
        return BitMap().union(*[numbers for word, numbers in self._numbers.items() if letters in word])

    def find_alike(self, text: str) -> list[BitMap]:
        """Return the entities that have all words of `text`, or ones spelt almost so, by how many letters differ.

        A word of four letters or more may have one letter too many, too few or changed, or two that changed places; one
        of six or more may have two such faults. What is typed may be the beginning of a word. Shorter ones are taken
        as they are. Distances are those of optimal string alignment (restricted Damerau-Levenshtein).
        """
        found: list[BitMap] | None = None
        for word in _WORD.findall(text.lower())[:_MOST_WORDS]:
            alike = self._alike(word)
            found = alike if found is None else _join(found, alike)
        return found or []

    def _alike(self, word: str) -> list[BitMap]:
        """Return the entities with such a word, by its distance."""
        words = list(self._numbers)
        faults = (len(word) >= _SHORTEST) + (len(word) >= _LONG)
        beginnings = [held[: len(word)] for held in words]
        matches = process.extract(word, beginnings, scorer=OSA.distance, score_cutoff=faults, limit=None)
        return [
            union(self._numbers[words[place]] for _, distance, place in matches if distance == wanted)
            for wanted in range(faults + 1)
        ]


def _join(first: list[BitMap], second: list[BitMap]) -> list[BitMap]:
    """Return what is in both, by the sum of their distances."""
    return [
        union(first[one] & second[total - one] for one in range(len(first)) if 0 <= total - one < len(second))
        for total in range(len(first) + len(second) - 1)
    ]


def name_words(text: str) -> set[str]:
    """Return the words of a name and a title: the first two lines of a text."""
    return set(_WORD.findall("\n".join(text.split("\n", 2)[:2])))


def letter_words(text: str) -> set[str]:
    """Return what letters stand together in a text: any of its parts that is all letters is part of one of these."""
    return set(LETTERS.findall(text))
