"""Lines of CSV (RFC 4180) that a spreadsheet takes as text, whoever wrote what is in them."""

import csv
import io
from collections.abc import Iterable

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""How a cell begins that a spreadsheet would compute. https://owasp.org/www-community/attacks/CSV_Injection"""


def write_csv(rows: Iterable[Iterable[str]]) -> str:
    """Return rows as CSV; a cell that begins like a formula gets an apostrophe in front."""
    written = io.StringIO()
    csv.writer(written).writerows([_guard(cell) for cell in row] for row in rows)
    return written.getvalue()


def _guard(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
