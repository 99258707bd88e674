"""The server's configuration files: small, durable, and closed to everybody but its owner.

Access is decided by the socket's folder, which has mode 0700 and belongs to the server's account: whoever can open the
socket is that account or root. So the socket trusts its caller. Asking for the peer's name (`peer`) would let in the
same two, and fail where a container's user has no name. Over TCP every role gives a SCRAM password, and the superuser
is refused.
"""

from dataclasses import dataclass
from pathlib import Path

from roadbed.core.postgres.binaries import Programs
from roadbed.core.postgres.place import Place

SUPERUSER = "roadbed"
DEFAULT_PORT = 5432
LOCAL_CONFIG = "postgresql.local.conf"
HOST = "127.0.0.1"


@dataclass(frozen=True)
class Tuning:
    """What differs between servers; the rest of the configuration is the same for all."""

    tcp_port: int | None = None
    max_connections: int = 100
    shared_buffers_megabytes: int = 64


def config_text(place: Place, programs: Programs, tuning: Tuning) -> str:
    """Return `postgresql.conf`. A living server whose file differs is restarted, so programs are named in it too."""
    values: dict[str, str | int] = {
        "listen_addresses": HOST if tuning.tcp_port else "",
        "port": tuning.tcp_port or DEFAULT_PORT,
        # a list: commas and spaces in a path are harmless inside double quotes
        "unix_socket_directories": '"' + str(place.socket_dir).replace('"', '""') + '"',
        "unix_socket_permissions": "0700",
        "hba_file": str(hba_path(place)),
        "password_encryption": "scram-sha-256",
        "max_connections": tuning.max_connections,
        "shared_buffers": f"{tuning.shared_buffers_megabytes}MB",
        # many small queries on few cores: parallel ones would only compete, and want a large /dev/shm
        "max_parallel_workers_per_gather": 0,
        "jit": "off",
        "fsync": "on",
        "full_page_writes": "on",
        "synchronous_commit": "on",
        "wal_level": "replica",
        "max_wal_size": "512MB",
        "timezone": "UTC",
        "log_timezone": "UTC",
        # a week of files, each overwritten after seven days; the collector lives and dies with the postmaster
        "logging_collector": "on",
        "log_directory": str(place.log_dir),
        "log_filename": "postgresql-%a.log",
        "log_rotation_age": "1d",
        "log_rotation_size": 0,
        "log_truncate_on_rotation": "on",
        "log_file_mode": "0600",
        "log_line_prefix": "%m [%p] %q%u@%d ",
        "log_checkpoints": "off",
    }
    if programs.major >= 18:
        values["io_method"] = "sync"  # saves three processes; reads come from the page cache here
    what = f"{programs.path('postgres')} {programs.version} as user id {place.account.uid}"
    lines = [f"# Written at each start, for {what}.", ""]
    lines += [f"{name} = {value if isinstance(value, int) else _quote(value)}" for name, value in values.items()]
    lines += ["", f"# Your own values go here:\ninclude_if_exists = {_quote(str(place.folder / LOCAL_CONFIG))}", ""]
    return "\n".join(lines)


def hba_text(tuning: Tuning) -> str:
    """Return `pg_hba.conf`: the superuser over the socket alone, everybody else over TCP with a password."""
    lines = [f"local all {SUPERUSER} trust"]
    if tuning.tcp_port:
        lines += [f"host all {SUPERUSER} {HOST}/32 reject", f"host all all {HOST}/32 scram-sha-256"]
    return "\n".join([*lines, ""])


def config_path(place: Place) -> Path:
    return place.folder / "postgresql.conf"


def hba_path(place: Place) -> Path:
    return place.folder / "pg_hba.conf"


def write_config(place: Place, programs: Programs, tuning: Tuning) -> bool:
    """Write both files and tell whether anything in them is new.

    They lie outside the data folder, which belongs to the server's account: root writes nowhere but in its own folders.
    """
    files = {config_path(place): config_text(place, programs, tuning), hba_path(place): hba_text(tuning)}
    changed = {path: text for path, text in files.items() if not path.exists() or path.read_text() != text}
    for path, text in changed.items():
        scratch = path.with_suffix(".new")
        scratch.write_text(text)
        scratch.chmod(0o644)
        scratch.replace(path)
    return bool(changed)


def _quote(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"
