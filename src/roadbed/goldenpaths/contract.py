"""What other domains may use of golden paths: the slot for actions, and what a path has made."""

from roadbed.goldenpaths.access import PATH_READ, RUN_START
from roadbed.goldenpaths.service.paths import find_product_of, get_path, list_paths
from roadbed.goldenpaths.service.starting import start as start_path
from roadbed.goldenpaths.types import ACTIONS, Action, ActionCall, ActionScope, Foresight, GoldenPath, Product

__all__ = [
    "ACTIONS",
    "PATH_READ",
    "RUN_START",
    "Action",
    "ActionCall",
    "ActionScope",
    "Foresight",
    "GoldenPath",
    "Product",
    "find_product_of",
    "get_path",
    "list_paths",
    "start_path",
]
