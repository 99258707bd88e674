"""One process a folder; the second is told who was first."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from roadbed.core.postgres import FolderLock, FolderLocked

HOLDER = """
import signal, sys
from pathlib import Path
from roadbed.core.postgres import FolderLock
lock = FolderLock(Path(sys.argv[1])).acquire(address="http://127.0.0.1:8400")
print("held", flush=True)
signal.pause()
"""


def test_second_process_is_told_process_and_address_until_the_first_is_killed(tmp_path: Path) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, tmp_path], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(FolderLocked, match=f"{tmp_path} is in use by process {holder.pid} at http://127.0.0.1:8400"):
        FolderLock(tmp_path).acquire()
    holder.kill()
    holder.communicate()
    with FolderLock(tmp_path).acquire(address="http://127.0.0.1:8401"):
        assert str(os.getpid()) in (tmp_path / "lock").read_text()


def test_lock_is_free_after_release_and_can_be_taken_again(tmp_path: Path) -> None:
    lock = FolderLock(tmp_path / "made" / "when missing").acquire()
    with pytest.raises(FolderLocked):
        FolderLock(lock.path.parent).acquire()
    lock.release()
    lock.release()
    FolderLock(lock.path.parent).acquire().release()


def test_forked_child_that_outlives_its_parent_does_not_keep_the_lock(tmp_path: Path) -> None:
    # the child of the child waits on a pipe that this test holds open
    code = """
import os, sys
from pathlib import Path
from roadbed.core.postgres import FolderLock
lock = FolderLock(Path(sys.argv[1])).acquire()
if os.fork() == 0:
    os.write(1, b"x")
    os.read(0, 1)
    os._exit(0)
os._exit(0)
"""
    parent = subprocess.Popen([sys.executable, "-c", code, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert parent.stdout is not None
    assert parent.stdout.read(1) == b"x"
    parent.wait()
    FolderLock(tmp_path).acquire().release()
    parent.communicate()
