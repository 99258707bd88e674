"""Expressions that people write in roles, policies, scorecards and matching rules: CEL, compiled once and explained.

Evaluation is done by the `cel` module, in Rust. It offers no syntax tree, and it holds Python's global lock while it
runs; so `syntax` reads the same grammar here, `checking` finds faults before anything runs, `cost` refuses what would
take long, and `explanation` shows the value that each part had. What is accepted must be accepted by both readers.
"""

from roadbed.core.expressions.errors import ExpressionFailed, ExpressionInvalid
from roadbed.core.expressions.explanation import Explanation, Part, PartStatus, to_json_value
from roadbed.core.expressions.expression import Expression
from roadbed.core.expressions.types import (
    ANY,
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    INT,
    STRING,
    TIMESTAMP,
    UINT,
    Type,
    list_of,
    map_of,
    record,
)

__all__ = [
    "ANY",
    "BOOL",
    "BYTES",
    "DOUBLE",
    "DURATION",
    "INT",
    "STRING",
    "TIMESTAMP",
    "UINT",
    "Explanation",
    "Expression",
    "ExpressionFailed",
    "ExpressionInvalid",
    "Part",
    "PartStatus",
    "Type",
    "list_of",
    "map_of",
    "record",
    "to_json_value",
]
