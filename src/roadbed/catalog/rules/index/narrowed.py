"""An index of which somebody sees a part: what they do not see is not there, not counted, not suggested.

Relations in a document still name what is hidden, as they name what is not in the catalog.
"""

from collections.abc import Mapping

from pyroaring import BitMap

from roadbed.catalog.rules.index.conditions import Condition
from roadbed.catalog.rules.index.index import Index


class NarrowedIndex(Index):
    """A view of another index, for the moment in which a question is asked. It cannot be written to.

    Orders, columns and the length are those of the whole: what is taken from them is taken through a selection.

    Args:
        whole: the index behind it.
        seen: the numbers that are there.
    """

    def __init__(self, whole: Index, seen: BitMap) -> None:
        vars(self).update(vars(whole))
        self._whole = whole
        self.all = seen

    def find(self, ref: str) -> bytes | None:
        number = self.number_of(ref)
        return None if number is None else self.document_of(number)

    def has(self, ref: str) -> bool:
        return self.number_of(ref) is not None

    def number_of(self, ref: str) -> int | None:
        number = self._whole.number_of(ref)
        return number if number is not None and number in self.all else None

    def select(self, condition: Condition) -> BitMap:
        return self._whole.select(condition) & self.all

    def find_alike(self, text: str) -> list[BitMap]:
        return [numbers & self.all for numbers in self._whole.find_alike(text)]

    def facet(self, key: str, among: BitMap | None) -> Mapping[str, int]:
        return super().facet(key, self.all if among is None else among)
