"""Errors of the catalog."""

from roadbed.core.errors import Conflict, Forbidden, Invalid, NotFound, Unavailable


class EntityNotFound(NotFound):
    code = "catalog.entity_not_found"


class EntityInvalid(Invalid):
    """What was given is not an entity; `problems` says where and why."""

    code = "catalog.entity_invalid"


class EntityManaged(Conflict):
    """The entity is read from a location, so it is changed there."""

    code = "catalog.entity_managed"


class SourceNotWritable(Conflict):
    """The file of an entity is where Roadbed only reads."""

    code = "catalog.source_not_writable"


class SourceChanged(Conflict):
    """The file has changed since somebody began to edit it; `context` has what stands there now."""

    code = "catalog.source_changed"


class SourceMissing(NotFound):
    """The entity does not stand where it was read from."""

    code = "catalog.source_missing"


class ProposalInvalid(Invalid):
    """What is proposed changes nothing, or is too long."""

    code = "catalog.proposal_invalid"


class BulkInvalid(Invalid):
    """What is to be set for many entities makes no sense, or they are too many."""

    code = "catalog.bulk_invalid"


class VersionNotFound(NotFound):
    """The entity has no change at this position."""

    code = "catalog.version_not_found"


class ColumnUnknown(Invalid):
    """An export is asked for a column that there is not."""

    code = "catalog.column_unknown"


class ViewNotFound(NotFound):
    """There is no such view, or it is not shared with who asks."""

    code = "catalog.view_not_found"


class ViewInvalid(Invalid):
    """The name, the query or the readers of a view cannot be so."""

    code = "catalog.view_invalid"


class ViewExists(Conflict):
    """Somebody has a view of that name already."""

    code = "catalog.view_exists"


class ViewForbidden(Forbidden):
    """A view is changed by who saved it, and shared ones by admins."""

    code = "catalog.view_forbidden"


class TooManyKept(Conflict):
    """Somebody has as many views, or follows as many entities, as one may."""

    code = "catalog.too_many_kept"


class AccountUnknown(Invalid):
    """What is somebody's own is asked for, and the catalog does not know who that is."""

    code = "catalog.account_unknown"


class RelationUnknown(Invalid):
    """A walk is to follow a relation that no kind has."""

    code = "catalog.relation_unknown"


class KindNotFound(NotFound):
    code = "catalog.kind_not_found"


class DefinitionNotFound(NotFound):
    """The entity has no definition, or not that version or part of it."""

    code = "catalog.definition_not_found"


class DefinitionUnreadable(Invalid):
    """The definition has a format that is not read, or a fault; its text can be had."""

    code = "catalog.definition_unreadable"


class KindInUse(Conflict):
    """There are entities of a kind, so that it cannot go."""

    code = "catalog.kind_in_use"


class KindsChanged(Conflict):
    """The kinds that a reading was checked against are no longer those in force."""

    code = "catalog.kinds_changed"


class FeedAhead(Conflict):
    """The cursor of a feed is ahead of the catalog."""

    code = "catalog.feed_ahead"


class LookNotFound(NotFound):
    """There is no look at a place of this id."""

    code = "catalog.look_not_found"


class LocationNotFound(NotFound):
    code = "catalog.location_not_found"


class LocationExists(Conflict):
    code = "catalog.location_exists"


class LocationInvalid(Invalid):
    code = "catalog.location_invalid"


class CatalogNarrowed(Forbidden):
    """It is for those who see all of the catalog, and a role lets this one see a part."""

    code = "catalog.narrowed"


class EntityHidden(Forbidden):
    """There is an entity of this name already, which the one who asks may not see."""

    code = "catalog.entity_hidden"


class LocationForbidden(Forbidden):
    """Only some may have the server read its own disk."""

    code = "catalog.location_forbidden"


class LocationConfigured(Conflict):
    """The location stands in the configuration, and would be back after the next start."""

    code = "catalog.location_configured"


class LocationUnreadable(Unavailable):
    """The source of a location could not be read; the last good state stays."""

    code = "catalog.location_unreadable"


class LocationMissing(LocationUnreadable):
    """The entry of a location is not there; after as many looks as its settings say, the location is removed."""

    code = "catalog.location_missing"
