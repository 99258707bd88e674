"""Git locations elsewhere: on the open network unless an admin allows more."""

from collections.abc import Iterator

import pytest

from roadbed.catalog.errors import LocationUnreadable
from roadbed.catalog.workflows.git import check_place, find_newest_commit
from roadbed.core.outbound import Outbound
from roadbed.core.settings import OutboundSettings
from tests.catalog.conftest import Place, component
from tests.catalog.outside import outside_host
from tests.catalog.test_refresh import look


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
    assert find_newest_commit(url, None, moved) == place.git("rev-parse", "HEAD")


def test_redirects_are_not_followed(elsewhere: str, place: Place) -> None:
    with (
        outside_host(place.folder, redirect_to=elsewhere) as host,
        pytest.raises(LocationUnreadable, match="git says: unable to access"),
    ):
        find_newest_commit(host, None)
