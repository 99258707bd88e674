"""Git locations elsewhere: on the open network unless an admin allows more, and read again when their host tells."""

import socket
import subprocess
from collections.abc import Iterator
from ipaddress import ip_address

import pytest

from roadbed.catalog.errors import LocationUnreadable
from roadbed.catalog.workflows.git import Access, check_place, find_newest_commit, pin
from roadbed.core.outbound import Outbound
from roadbed.core.settings import OutboundSettings
from roadbed.scm.contract import read_address
from tests.catalog.conftest import Place, component
from tests.catalog.outside import outside_host
from tests.catalog.test_refresh import look
from tests.waiting import wait_for


@pytest.fixture
def elsewhere(place: Place) -> Iterator[str]:
    """A repository of another host on this machine, as one clones it."""
    place.write(**{"catalog-info": component("elsewhere")})
    place.commit()
    with outside_host(place.folder.parent) as host:
        yield f"{host}/{place.folder.name}/.git"


@pytest.fixture
def is_allowed(place: Place, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The server with a setting that lets it speak to this machine."""

    async def make() -> Outbound:
        return Outbound(OutboundSettings(allowed_hosts=["127.0.0.0/8"]))

    outbound = place.server.run(make())
    monkeypatch.setitem(place.server.services._instances, Outbound, outbound)
    yield
    place.server.run(outbound.close())


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://127.0.0.1:1/shop/orders.git", "127.0.0.1"),
        ("https://localhost/shop/orders.git", "localhost"),
        ("ssh://git@10.1.2.3/shop/orders.git", "10.1.2.3"),
        ("git@192.168.0.1:shop/orders.git", "192.168.0.1"),
        ("git://169.254.169.254/latest", "169.254.169.254"),
        ("http://[::1]:1/shop/orders.git", "::1"),
    ],
)
def test_location_at_a_private_address_is_refused(place: Place, url: str, address: str) -> None:
    run = place.register_target("git", url)
    assert run["state"] == "failed"
    error = place.location()["error"]
    assert error["message"].startswith(f"{address} is at ")
    assert error["message"].endswith(", which is not a public address, so nothing was sent there.")
    assert "ROADBED_OUTBOUND__ALLOWED_HOSTS" in error["hint"]
    assert "is not a public address" in look(place)["error"]["message"]  # the schedule asks nobody either


@pytest.mark.usefixtures("is_allowed")
def test_location_at_an_address_that_is_allowed_is_read(place: Place, elsewhere: str) -> None:
    run = place.register_target("git", elsewhere)
    assert run["state"] == "succeeded", run["error"]
    assert place.get("component:default/elsewhere").status_code == 200


@pytest.mark.anyio
async def test_git_connects_to_the_address_that_was_checked(place: Place, elsewhere: str) -> None:
    outbound = Outbound(OutboundSettings(allowed_hosts=["127.0.0.0/8"]))
    settings = await check_place(outbound, elsewhere)
    await outbound.close()
    moved = tuple(text.replace("=127.0.0.1:", "=moved.invalid:") for text in settings)
    url = elsewhere.replace("127.0.0.1", "moved.invalid")
    assert find_newest_commit(url, None, Access(moved)) == place.git("rev-parse", "HEAD")


def pinned(url: str) -> tuple[str, ...]:
    address = read_address(url)
    assert address is not None
    return pin(url, address, ip_address("127.0.0.1"))


def test_git_protocol_connects_to_the_address_that_was_checked(place: Place) -> None:
    place.write(**{"catalog-info": component("elsewhere")})
    newest = place.commit()
    with socket.create_server(("127.0.0.1", 0)) as chosen:
        port = chosen.getsockname()[1]
    options = ("--listen=127.0.0.1", f"--port={port}", "--export-all", f"--base-path={place.folder.parent}")
    command = ["git", "daemon", "--reuseaddr", *options, str(place.folder)]
    with subprocess.Popen(command) as daemon:
        url = f"git://moved.invalid:{port}/{place.folder.name}/.git"
        try:
            wait_for(lambda: is_listening(port), what="git's daemon")
            assert find_newest_commit(url, None, Access(pinned(url))) == newest
        finally:
            daemon.terminate()


def is_listening(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize("form", ["ssh://git@moved.invalid:{port}/shop/orders.git", "ssh://moved.invalid:{port}/o.git"])
def test_ssh_connects_to_the_address_that_was_checked(form: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as chosen:
        port = chosen.getsockname()[1]
    url = form.format(port=port)
    with pytest.raises(LocationUnreadable, match=f"connect to host 127.0.0.1 port {port}: Connection refused"):
        find_newest_commit(url, None, Access(pinned(url)))


def test_key_of_an_ssh_host_is_looked_for_under_its_name() -> None:
    (plain,) = pinned("git@git.example.com:shop/orders.git")
    assert "-oHostName=127.0.0.1 -oHostKeyAlias=git.example.com " in plain
    (other,) = pinned("ssh://git@git.example.com:2222/shop/orders.git")
    assert "-oHostKeyAlias='[git.example.com]:2222' " in other


def test_redirects_are_not_followed(elsewhere: str, place: Place) -> None:
    with (
        outside_host(place.folder, redirect_to=elsewhere) as host,
        pytest.raises(LocationUnreadable, match="git says: unable to access"),
    ):
        find_newest_commit(host, None)


@pytest.mark.usefixtures("is_allowed")
def test_push_elsewhere_is_read_as_soon_as_its_host_tells(place: Place, elsewhere: str) -> None:
    assert place.register_target("git", elsewhere)["state"] == "succeeded"
    first = place.location()["run_id"]
    same = place.api.post("/api/v1/incoming-webhooks", json={"url": elsewhere.removesuffix("/.git")}).json()
    another = place.api.post("/api/v1/incoming-webhooks", json={"url": f"{elsewhere}/another"}).json()
    place.write(**{"catalog-info": component("elsewhere", lifecycle="deprecated")})
    newest = place.commit()

    def tell(of: dict[str, str], branch: str) -> None:
        payload = {"ref": f"refs/heads/{branch}", "repository": {"default_branch": "main"}}
        headers = {"X-Gitlab-Event": "Push Hook", "X-Gitlab-Token": of["secret"]}
        answer = place.server.client().post(f"/webhooks/{of['id']}", json=payload, headers=headers)
        assert answer.json() == {"status": "accepted"}

    tell(another, "main")
    tell(same, "feature")  # which the location does not read
    tell(same, "main")
    wait_for(lambda: place.location()["run_id"] != first)
    run = place.wait(place.location()["run_id"])
    assert run["steps"][0]["output"]["revision"] == newest
    runs = place.api.get("/api/v1/runs", params={"subject": f"location:{place.id}"}).json()["items"]
    assert len(runs) == 2
