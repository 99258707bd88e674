"""How code is added to Roadbed: manifests, the closed list of what they may add, and the loader.

A domain's `module.py` holds one `Module`; a plugin's package has one under the entry point group `roadbed.plugins`.
Both go through `load`. What can be added is fixed by the `Slot`s that domains declare with a `ContributionKind`.
A plugin that fails to load is kept with its error, shown, and the server starts without it; a built-in domain
that fails is a bug and stops the start.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import entry_points
from typing import Any, Generic, TypeVar, cast

T = TypeVar("T")

PLUGIN_GROUP = "roadbed.plugins"


class ContributionKind(StrEnum):
    """Everything a module may add. The list is closed: a new kind is a decision, not a plugin's choice."""

    PERMISSION = "permission"
    API = "api"
    PAGES = "pages"
    MOUNT = "mount"
    TEMPLATES = "templates"
    NAVIGATION = "navigation"
    PANEL = "panel"
    PROVIDER = "provider"
    CONSUMER = "consumer"
    SCHEDULE = "schedule"
    STEP = "step"
    HEALTH_CHECK = "health_check"
    MEASURE = "measure"
    ENTITY_KIND = "entity_kind"
    SHIPPED_ENTITIES = "shipped_entities"
    LOCATION_SOURCE = "location_source"
    ACTION = "action"
    DRIVER = "driver"
    RESOURCE_USER = "resource_user"
    BLOB_USER = "blob_user"
    INVENTORY = "inventory"
    NEED = "need"
    SEARCH = "search"
    BACKUP = "backup"


class Slot(Generic[T]):
    """The typed place of one contribution kind, declared once by the module that reads it.

    `item` is checked at load; for callables it is `Callable`.
    """

    def __init__(self, kind: ContributionKind, item: type[T] | Any) -> None:
        self.kind = kind
        self.item = item

    def add(self, *items: T) -> "Addition":
        """Return the manifest line that adds `items` here."""
        return Addition(self, items)


@dataclass(frozen=True)
class Addition:
    slot: Slot[Any]
    items: tuple[Any, ...]


@dataclass(frozen=True)
class Module:
    """A manifest: the name of a domain or plugin and everything it adds."""

    name: str
    adds: Sequence[Addition] = ()


@dataclass(frozen=True)
class LoadedPlugin:
    name: str
    version: str
    error: str | None = None


class Registry:
    """What all loaded modules have added, in load order."""

    def __init__(self) -> None:
        self.modules: list[Module] = []
        self.plugins: list[LoadedPlugin] = []
        self._items: dict[ContributionKind, list[Any]] = {}

    def load(self, module: Module) -> None:
        """Take in one manifest, whole or not at all.

        Raises:
            TypeError: an item is not of its slot's type.
            ValueError: a module of that name is loaded already.
        """
        if any(loaded.name == module.name for loaded in self.modules):
            raise ValueError(f"module {module.name!r} is loaded twice")
        for addition in module.adds:
            for item in addition.items:
                expected = addition.slot.item
                fits = callable(item) if expected is Callable else isinstance(item, expected)
                if not fits:
                    raise TypeError(
                        f"module {module.name!r} adds {item!r} as {addition.slot.kind}: not a {expected.__name__}"
                    )
        self.modules.append(module)
        for addition in module.adds:
            self._items.setdefault(addition.slot.kind, []).extend(addition.items)

    def get(self, slot: Slot[T]) -> tuple[T, ...]:
        return tuple(cast("list[T]", self._items.get(slot.kind, [])))


def load(modules: Iterable[Module]) -> Registry:
    """Load the built-in modules, then every installed plugin.

    Args:
        modules: built-in manifests, lower layers first.
    """
    registry = Registry()
    for module in modules:
        registry.load(module)
    for point in sorted(entry_points(group=PLUGIN_GROUP), key=lambda point: point.name):
        version = point.dist.version if point.dist else "unknown"
        try:
            registry.load(point.load())
        except Exception as error:  # noqa: BLE001 - foreign code: whatever it raises is shown and the server starts
            registry.plugins.append(LoadedPlugin(point.name, version, f"{type(error).__name__}: {error}"))
        else:
            registry.plugins.append(LoadedPlugin(point.name, version))
    return registry
