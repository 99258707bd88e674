"""How well an entity fits a search, beside what is said of one name."""

from hypothesis import given
from hypothesis import strategies as st

from roadbed.catalog.rules.index.fits import fit_to
from roadbed.core.search import rank

WORDS = st.text("ab-_ ß1", max_size=6)


@given(name=WORDS, title=WORDS, rest=WORDS, wanted=st.text("ab-_ ß1", min_size=1, max_size=3))
def test_the_better_of_name_and_title_counts(name: str, title: str, rest: str, wanted: str) -> None:
    fits = [fit for fit in (rank(wanted, name), rank(wanted, title)) if fit is not None]
    assert fit_to(wanted)(f"{name}\n{title}\n{rest}") == (min(fits, default=4), title)
