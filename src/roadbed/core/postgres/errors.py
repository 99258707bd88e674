"""What can go wrong with the embedded PostgreSQL and with dumps."""

from roadbed.core.errors import Conflict, Unavailable


class PostgresUnavailable(Unavailable):
    """The server could not be initialised, started, reached or stopped."""

    code = "postgres.unavailable"


class ProgramsNotFound(PostgresUnavailable):
    """No usable PostgreSQL programs anywhere; the message names each place that was looked at."""

    code = "postgres.programs_not_found"


class WrongMajorVersion(PostgresUnavailable):
    """The data folder was written by another major version, whose format this one cannot read."""

    code = "postgres.wrong_major_version"


class DumpFailed(Unavailable):
    """A dump or a restore ended with an error; what was there before is unchanged."""

    code = "postgres.dump_failed"


class FolderLocked(Conflict):
    """Another living process works in the folder."""

    code = "postgres.folder_locked"
