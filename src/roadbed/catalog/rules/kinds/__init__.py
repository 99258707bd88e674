"""Kinds: what an entity of each kind may hold and which relations follow from it.

`model` says what a definition is, `backstage`, `roadbed` and `kind` hold the built-in ones, `declared` reads those that
people declare, `Kinds` is the set in force.
"""

from roadbed.catalog.rules.kinds.backstage import BACKSTAGE_KINDS
from roadbed.catalog.rules.kinds.kind import KIND
from roadbed.catalog.rules.kinds.model import KindDefinition, Kinds, Relation
from roadbed.catalog.rules.kinds.roadbed import ROADBED_KINDS
from roadbed.core.extension import ContributionKind, Slot

ENTITY_KINDS: Slot[KindDefinition] = Slot(ContributionKind.ENTITY_KIND, KindDefinition)
"""Kinds that other modules and plugins add."""

BUILT_IN_KINDS = Kinds((*BACKSTAGE_KINDS, *ROADBED_KINDS, KIND))

__all__ = ["BUILT_IN_KINDS", "ENTITY_KINDS", "KindDefinition", "Kinds", "Relation"]
