"""Places and clients of the shared server, as the tests of the catalog have them."""

from tests.catalog.conftest import api, client_of, other_place, place

__all__ = ["api", "client_of", "other_place", "place"]
