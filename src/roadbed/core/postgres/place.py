"""Where a server keeps its data, socket and logs, and as whom it runs.

PostgreSQL refuses to run as root. When Roadbed is root, the server gets a user id of its own that no account and no
sandboxed job has; where that id cannot enter the wanted folder, the place moves to one that it can.
"""

import hashlib
import os
import pwd
from dataclasses import dataclass
from pathlib import Path

from roadbed.core.postgres.binaries import Programs, copy_wheel_programs, make_passable
from roadbed.core.postgres.errors import PostgresUnavailable, ProgramsNotFound

POSTGRES_UID = 64900
"""No account has it (Debian's end at 59999), and sandboxed jobs get other ids."""

SHARED_ROOT = Path("/var/lib/roadbed")
SHORT_SOCKET_ROOT = Path("/tmp")  # noqa: S108 - short, on every system; the folder in it is private and checked
LONGEST_SOCKET_PATH = 107

_POINTER = "location"


@dataclass(frozen=True)
class Account:
    """As whom the server runs."""

    uid: int
    gid: int

    def can_enter(self, folder: Path) -> bool:
        """Tell whether the modes of `folder` and of all above it let this account through."""
        resolved = folder.resolve()
        return all(self._may_execute(path) for path in (resolved, *resolved.parents) if path.exists())

    def _may_execute(self, path: Path) -> bool:
        stat = path.stat()
        if stat.st_uid == self.uid:
            return bool(stat.st_mode & 0o100)
        if stat.st_gid == self.gid:
            return bool(stat.st_mode & 0o010)
        return bool(stat.st_mode & 0o001)


@dataclass(frozen=True)
class Place:
    """The folders of one server. All but `socket_dir` lie below `folder`, which belongs to Roadbed's own account."""

    folder: Path
    socket_dir: Path
    account: Account
    notes: tuple[str, ...] = ()
    """What a person should know: that something is not where it was asked for, and why."""
    pointer: Path | None = None

    @property
    def data_dir(self) -> Path:
        return self.folder / "data"

    @property
    def log_dir(self) -> Path:
        return self.folder / "log"

    def read_major(self) -> int | None:
        """Return the major version that wrote the data, or None when there is no data yet."""
        try:
            return int((self.data_dir / "PG_VERSION").read_text())
        except FileNotFoundError:
            return None

    def remember(self) -> None:
        """Write down in the wanted folder where the data really is, so that it is found again for ever."""
        if self.pointer is not None and not self.pointer.exists():
            self.pointer.write_text(f"{self.folder}\n")


def switches_account() -> bool:
    """Tell whether the server runs under another id than Roadbed: only root can and must do so."""
    return os.geteuid() == 0


def choose_place(folder: Path, *, port: int, uid: int = POSTGRES_UID, shared_root: Path = SHARED_ROOT) -> Place:
    """Make the folders for a server that is wanted in `folder`, and return where they are.

    Args:
        folder: where the server should keep everything.
        port: part of the socket's name.
        uid: the server's user and group id when Roadbed is root.
        shared_root: where a place goes that this id cannot enter.

    Raises:
        PostgresUnavailable: data exists where the server's account cannot use it.
    """
    folder = folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    account = Account(uid, uid) if switches_account() else Account(os.geteuid(), os.getegid())
    actual, notes = _choose_folder(folder, account, shared_root)
    actual.mkdir(parents=True, exist_ok=True)
    if switches_account():
        actual.chmod(0o711)
    socket_dir = _choose_socket_dir(actual, port)
    if socket_dir.parent != actual:
        notes.append(f"The path of {actual} is too long for a socket; the socket is in {socket_dir}.")
    place = Place(actual, socket_dir, account, tuple(notes), folder / _POINTER if actual != folder else None)
    for private in (socket_dir, place.log_dir):
        _make_private(private, account, is_below_ours=private.parent == actual)
    _take_over(place)
    return place


def _choose_folder(folder: Path, account: Account, shared_root: Path) -> tuple[Path, list[str]]:
    pointer = folder / _POINTER
    if pointer.exists():
        actual = Path(pointer.read_text().strip())
        if not (actual / "data" / "PG_VERSION").exists():
            raise PostgresUnavailable(
                f"The database of {folder} should be in {actual}, and is not there.",
                hint=f"Bring {actual} back, or delete {pointer} to start with an empty database and restore a backup.",
            )
        return actual, [f"The database is in {actual}, as {pointer} says."]
    folder.chmod(folder.stat().st_mode | 0o111 if switches_account() else 0o700)
    if account.can_enter(folder):
        return folder, []
    if (folder / "data" / "PG_VERSION").exists():
        raise PostgresUnavailable(
            f"User id {account.uid}, as which PostgreSQL runs, cannot enter {folder}, where the database is.",
            hint=f"Let it pass through the folders above (chmod o+x), up to {folder}.",
        )
    actual = shared_root / f"{folder.name}-{_short_hash(folder)}"
    why = f"user id {account.uid}, as which PostgreSQL runs, cannot enter {folder}"
    make_passable(shared_root)
    if not account.can_enter(shared_root):
        raise PostgresUnavailable(f"There is no place for the database: {why}, nor {shared_root}.")
    return actual, [f"The database is in {actual}: {why}."]


def _choose_socket_dir(folder: Path, port: int) -> Path:
    wanted = folder / "socket"
    if len(os.fsencode(wanted / f".s.PGSQL.{port}")) <= LONGEST_SOCKET_PATH:
        return wanted
    return SHORT_SOCKET_ROOT / f"roadbed-{_short_hash(folder)}"


def _short_hash(folder: Path) -> str:
    return hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()[:12]


def _make_private(folder: Path, account: Account, *, is_below_ours: bool) -> None:
    """Make `folder` with mode 0700 for `account`; refuse one that somebody else has made."""
    owners = {os.geteuid(), account.uid}
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        stat = folder.lstat()
        may_be_taken = stat.st_uid in owners or (is_below_ours and switches_account())
        if folder.is_symlink() or not folder.is_dir() or not may_be_taken:
            raise PostgresUnavailable(
                f"{folder} belongs to somebody else and cannot be used for PostgreSQL.", hint=f"Remove {folder}."
            ) from None
        folder.chmod(0o700)
    os.chown(folder, account.uid, account.gid, follow_symlinks=False)


def _take_over(place: Place) -> None:
    """Give the data to the account the server runs as, when Roadbed ran as somebody else before."""
    if not place.data_dir.exists():
        return
    owner = place.data_dir.stat().st_uid
    if owner == place.account.uid:
        return
    if not switches_account():
        raise PostgresUnavailable(
            f"The database in {place.data_dir} belongs to user id {owner}, and Roadbed runs as {place.account.uid}.",
            hint=f"Run Roadbed as before, or give the data away: chown -R {place.account.uid} {place.folder}",
        )
    give_tree(place.data_dir, place.account)
    give_tree(place.log_dir, place.account)


def give_tree(top: Path, account: Account) -> None:
    """Change the owner of everything below `top`, following no link."""
    for _, folders, files, descriptor in os.fwalk(top):
        os.chown(descriptor, account.uid, account.gid)
        for name in (*folders, *files):
            os.chown(name, account.uid, account.gid, dir_fd=descriptor, follow_symlinks=False)


def choose_initdb_account(account: Account) -> Account:
    """Return the account for `initdb`, which insists on one with a name; its files are given away afterwards."""
    names = {entry.pw_uid: entry for entry in pwd.getpwall()}
    if account.uid in names:
        return account
    if not switches_account():
        raise PostgresUnavailable(
            f"User id {account.uid} has no name on this system, and PostgreSQL's initdb needs one.",
            hint="Add the id to /etc/passwd, run Roadbed as a named user, or set ROADBED_DATABASE__URL.",
        )
    nobody = next((entry for entry in names.values() if entry.pw_name == "nobody"), None)
    named = nobody or next((entry for entry in names.values() if entry.pw_uid != 0), None)
    if named is None:
        raise PostgresUnavailable(
            "There is no user but root on this system, and PostgreSQL's initdb refuses to run as root.",
            hint="Add any user, or set ROADBED_DATABASE__URL to an outside PostgreSQL.",
        )
    return Account(named.pw_uid, named.pw_gid)


def programs_for(place: Place, programs: Programs, *, shared_root: Path = SHARED_ROOT) -> Programs:
    """Return programs that the server's account can run: those given, or a copy of the wheel's."""
    if place.account.can_enter(programs.bin_dir):
        return programs
    if programs.is_wheel:
        return copy_wheel_programs(programs, root=shared_root)
    raise ProgramsNotFound(
        f"User id {place.account.uid}, as which PostgreSQL runs, cannot enter {programs.bin_dir} ({programs.origin}).",
        hint="Let it pass through the folders above (chmod o+x), or install PostgreSQL elsewhere.",
    )
