"""The lock files pin everything by hash and name no host, so that any mirror serves."""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PYTHON_LOCKS = [
    ROOT / "requirements.lock",
    ROOT / "requirements-dev.lock",
    ROOT / "tools" / "requirements-uv.lock",
    ROOT / "tools" / "requirements-node.lock",
]


@pytest.mark.parametrize("lock", PYTHON_LOCKS, ids=lambda lock: lock.name)
def test_python_lock_names_no_host(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")
    assert "http" not in re.sub(r"(?m)^(\S*http\S*==|    # (via )?).*$", "", text)
    assert "index-url" not in text


@pytest.mark.parametrize("lock", PYTHON_LOCKS, ids=lambda lock: lock.name)
def test_python_lock_has_a_hash_for_each_package(lock: Path) -> None:
    blocks = re.split(r"(?m)^(?=[a-zA-Z])", lock.read_text(encoding="utf-8").strip())
    packages = [block for block in blocks if "==" in block]
    assert packages
    assert [block.split()[0] for block in packages if "--hash=sha256:" not in block] == []


def test_front_end_lock_has_integrity_and_names_no_host() -> None:
    lock = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))
    fetched = {name: entry for name, entry in lock["packages"].items() if name}
    assert fetched
    assert [name for name, entry in fetched.items() if "resolved" in entry] == []
    assert [name for name, entry in fetched.items() if not entry.get("integrity", "").startswith("sha512-")] == []


def test_no_client_configuration_of_the_checkout_names_a_registry() -> None:
    assert "registry=" not in (ROOT / ".npmrc").read_text(encoding="utf-8")
    assert "index" not in (ROOT / "Makefile").read_text(encoding="utf-8").replace("--no-emit-index-url", "")


def test_every_runtime_package_is_locked_at_the_same_version_for_developers() -> None:
    runtime, dev = (
        dict(re.findall(r"(?m)^([a-zA-Z0-9._-]+)(?:\[[^\]]*\])?==([^\s;]+)", path.read_text(encoding="utf-8")))
        for path in PYTHON_LOCKS[:2]
    )
    assert {name: dev.get(name) for name in runtime} == runtime
