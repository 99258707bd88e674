"""Names, packet lines, protection and diffs, as tables of cases."""

import io
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roadbed.core.actor import Actor, ActorKind, system_actor
from roadbed.kit.clock import now
from roadbed.kit.ids import new_id
from roadbed.scm.errors import InvalidName, InvalidTransfer
from roadbed.scm.rules.diffs import parse_diff
from roadbed.scm.rules.formats import author_of, commit_object
from roadbed.scm.rules.names import check_branch, check_slug
from roadbed.scm.rules.pktline import FLUSH, PushCommand, PushHead, packet, read_push_head, refusal
from roadbed.scm.rules.protection import judge_push
from roadbed.scm.types import ZERO_SHA, Author, DiffLine, Repository

SHA = "1" * 40
ADA = Actor(kind=ActorKind.USER, id="ada", name="Ada Lovelace")
BOT = Actor(kind=ActorKind.SERVICE, id="bot", name="bot")


def repository(*, is_protected: bool = True) -> Repository:
    return Repository(
        id=new_id(),
        owner="shop",
        name="orders",
        description="",
        default_branch="main",
        is_protected=is_protected,
        host="builtin",
        entity_ref=None,
        created_by="user:ada",
        created_by_run=None,
        created_by_id="ada",
        required_checks=(),
        has_commits=True,
        created_at=now(),
        updated_at=now(),
    )


@pytest.mark.parametrize("text", ["orders", "a", "0", "orders-api", "a.b_c-d", "x" * 63])
def test_sound_slugs_are_taken(text: str) -> None:
    assert check_slug(text, noun="name") == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Orders",
        "-a",
        "a-",
        ".a",
        "a.",
        "a..b",
        "a/b",
        "a b",
        "x" * 64,
        "a.git",
        "a.lock",
        "ü",
        "a\n",
        "new",
        "a.wiki",
    ],
)
def test_unsound_slugs_are_refused(text: str) -> None:
    with pytest.raises(InvalidName):
        check_slug(text, noun="name")


@pytest.mark.parametrize("text", ["main", "feature/x", "a.b", "v1.2", "ünder", "a-b_c", "release/2026-11"])
def test_sound_branches_are_taken(text: str) -> None:
    assert check_branch(text) == text


@pytest.mark.parametrize(
    "text",
    [
        *("", "a b", "a..b", "-a", "a/", "/a", "a//b", "a.lock", "a.lock/b", "a~1", "a^", "a:b", "a?", "a*", "a["),
        *("a\\b", "@", "a@{1}", ".a", "a/.b", "a.", "HEAD", "a\x7f", "a\n", SHA, "x" * 201),
    ],
)
def test_unsound_branches_are_refused(text: str) -> None:
    with pytest.raises(InvalidName):
        check_branch(text)


def push_line(ref: str, *, capabilities: str = "") -> bytes:
    tail = f"\0{capabilities}" if capabilities else ""
    return packet(f"{ZERO_SHA} {SHA} {ref}{tail}".encode())


def test_push_head_is_read_up_to_its_objects() -> None:
    body = push_line("refs/heads/a", capabilities=" report-status side-band-64k agent=git/2") + push_line("refs/tags/b")
    head = read_push_head(io.BytesIO(packet(b"shallow " + SHA.encode()) + body + FLUSH + b"PACK...."))
    assert [command.ref for command in head.commands] == ["refs/heads/a", "refs/tags/b"]
    assert head.commands[0] == PushCommand(ZERO_SHA, SHA, "refs/heads/a")
    assert head.capabilities == {"report-status", "side-band-64k", "agent=git/2"}
    assert read_push_head(io.BytesIO(FLUSH)).commands == ()


@pytest.mark.parametrize(
    "body", [b"zzzz", b"0003", b"0005a", b"0020short", b"ffff", packet(b"hello"), packet(b"push-cert\0")]
)
def test_push_head_that_git_would_not_send_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidTransfer):
        read_push_head(io.BytesIO(body))


@given(st.binary(max_size=200))
def test_push_head_of_any_bytes_is_read_or_refused(body: bytes) -> None:
    with suppress(InvalidTransfer):
        read_push_head(io.BytesIO(body))


@given(st.lists(st.binary(min_size=1, max_size=300), max_size=20))
def test_packets_tell_their_own_length(pieces: list[bytes]) -> None:
    stream = io.BytesIO(b"".join(packet(piece) for piece in pieces))
    for piece in pieces:
        assert stream.read(int(stream.read(4), 16) - 4) == piece


def test_refusal_reports_every_ref_in_the_band_that_was_agreed() -> None:
    head = PushHead(
        (PushCommand(ZERO_SHA, SHA, "refs/heads/a"), PushCommand(ZERO_SHA, SHA, "refs/heads/b")), frozenset()
    )
    assert refusal(head, {"refs/heads/a": "no"}, message="Why") == b""
    plain = PushHead(head.commands, frozenset({"report-status"}))
    report = refusal(plain, {"refs/heads/a": "no"}, message="Why")
    assert report.startswith(packet(b"unpack ok\n") + packet(b"ng refs/heads/a no\n"))
    assert report.endswith(FLUSH)
    banded = refusal(PushHead(head.commands, frozenset({"report-status", "side-band-64k"})), {}, message="One\nTwo")
    assert banded.startswith(packet(b"\x02One\n") + packet(b"\x02Two\n"))


@pytest.mark.parametrize(
    ("actor", "ref", "new", "is_empty", "is_protected", "reason"),
    [
        (ADA, "refs/heads/main", SHA, False, True, "push a branch and open a change request"),
        (BOT, "refs/heads/main", SHA, False, True, "push a branch and open a change request"),
        (ADA, "refs/heads/main", ZERO_SHA, False, True, "cannot be deleted"),
        (ADA, "refs/heads/main", SHA, True, True, None),
        (BOT, "refs/heads/main", SHA, True, True, "the first push is for who created the repository"),
        (BOT, "refs/heads/main", SHA, False, False, None),
        (BOT, "refs/heads/main2", SHA, False, True, None),
        (BOT, "refs/tags/main", ZERO_SHA, False, True, None),
        (ADA, "refs/roadbed/path", SHA, False, False, "written by Roadbed only"),
        (ADA, "refs/notes/commits", SHA, False, False, "only branches"),
        (ADA, "HEAD", SHA, False, False, "only branches"),
    ],
)
def test_push_is_judged_by_ref_and_actor(
    actor: Actor, ref: str, new: str, is_empty: bool, is_protected: bool, reason: str | None
) -> None:
    commands = (PushCommand(ZERO_SHA, new, ref),)
    reasons = judge_push(repository(is_protected=is_protected), actor, commands, is_empty=is_empty)
    assert (ref in reasons) == (reason is not None)
    assert reason is None or reason in reasons[ref]


DIFF = r"""diff --git a/src/main.py b/src/main.py
index 1..2 100644
--- a/src/main.py
+++ b/src/main.py
@@ -1,3 +1,3 @@ def main():
 same
-old
---- looks like a head
+new
+++ looks like one too
@@ -10 +10 @@
-a
+b
\ No newline at end of file
diff --git a/old name.txt b/new name.txt
similarity index 100%
rename from old name.txt
rename to new name.txt
diff --git "a/f\303\274r \"q\".txt" "b/f\303\274r \"q\".txt"
new file mode 100644
index 0..1
--- /dev/null
+++ "b/f\303\274r \"q\".txt"
@@ -0,0 +1 @@
+x
diff --git a/gone b/gone
deleted file mode 100644
index 1..0
--- a/gone
+++ /dev/null
@@ -1 +0,0 @@
-x
diff --git a/run b/run
old mode 100644
new mode 100755
diff --git a/data.bin b/data.bin
index 1..2 100644
Binary files a/data.bin and b/data.bin differ
diff --git a/empty b/empty
new file mode 100644
index 0..e69de29
diff --git a/link b/link
new file mode 120000
index 0..1
--- /dev/null
+++ b/link
@@ -0,0 +1 @@
+target
\ No newline at end of file"""


def test_diff_is_read_into_files_hunks_and_numbered_lines() -> None:
    diff = parse_diff(DIFF.split("\n"))
    assert [(file.path, file.old_path, file.status, file.added, file.removed, file.note) for file in diff.files] == [
        ("src/main.py", None, "changed", 3, 3, None),
        ("new name.txt", "old name.txt", "renamed", 0, 0, None),
        ('für "q".txt', None, "added", 1, 0, None),
        ("gone", None, "removed", 0, 1, None),
        ("run", None, "changed", 0, 0, "made executable"),
        ("data.bin", None, "changed", 0, 0, "Binary file"),
        ("empty", None, "added", 0, 0, "Empty file"),
        ("link", None, "added", 1, 0, "symbolic link"),
    ]
    first, second = diff.files[0].hunks
    assert first.head == "@@ -1,3 +1,3 @@ def main():"
    assert first.lines[:3] == [
        DiffLine("same", 1, 1, "same"),
        DiffLine("del", 2, None, "old"),
        DiffLine("del", 3, None, "--- looks like a head"),
    ]
    assert second.lines == [DiffLine("del", 10, None, "a"), DiffLine("add", None, 10, "b")]
    assert (diff.added, diff.removed, diff.is_cut) == (5, 4, False)


def test_long_diff_is_cut_and_says_so() -> None:
    lines = ["diff --git a/a b/a", "@@ -0,0 +1,30000 @@", *("+x" for _ in range(30_000))]
    diff = parse_diff(lines)
    assert diff.is_cut
    assert len(diff.files[0].hunks[0].lines) == 20_000


@given(st.text(max_size=400))
def test_diff_of_any_text_is_read(text: str) -> None:
    parse_diff(("diff --git a/a b/a\n" + text).split("\n"))


def test_author_of_a_commit_cannot_break_its_form() -> None:
    author = Author("Eve <e@x>\nparent 1", "a@b>\n")
    content = commit_object(SHA, [SHA], author, "Message\0\n", at=now()).decode()
    head, _, message = content.partition("\n\n")
    assert [line.split(" ")[0] for line in head.split("\n")] == ["tree", "parent", "author", "committer"]
    assert "author Eve e@x parent 1 <a@b>" in head
    assert message == "Message\n"
    assert author_of(system_actor("pipeline")).email == "pipeline@users.localhost"
