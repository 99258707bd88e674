"""Markdown that users wrote: what is kept, and what can do no harm."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roadbed.core.highlight import highlight_lines
from roadbed.core.markdown import render_markdown


def render(text: str) -> str:
    return str(render_markdown(text, link=lambda value: f"/file/{value}", image=lambda value: f"/raw/{value}"))


def test_text_tables_code_and_headings_are_rendered() -> None:
    html = render("# Hi *you*\n\n| a |\n|---|\n| 1 |\n\n```python\nx = '<'\n```\n\n## Hi you\n")
    assert '<h1 id="text-hi-you">Hi <em>you</em></h1>' in html
    assert '<h2 id="text-hi-you-1">' in html
    assert "<td>1</td>" in html
    assert '<pre class="highlight" tabindex="0"><code><span class="n">x</span>' in html
    assert "&lt;" in html


def test_relative_links_are_resolved_and_others_kept() -> None:
    html = render("[a](docs/a.md) [b](#part) [c](https://example.com/) [d](mailto:a@example.com)")
    assert 'href="/file/docs/a.md"' in html
    assert 'href="#text-part"' in html
    assert 'href="https://example.com/"' in html
    assert 'href="mailto:a@example.com"' in html


def test_images_from_elsewhere_become_their_description() -> None:
    assert render("![build](https://badge.example/x.svg)") == "<p>build</p>\n"
    assert render("![plan](plan.png)") == '<p><img src="/raw/plan.png" alt="plan"></p>\n'
    assert "<img" not in render('<img alt="a>b" src="//evil.example/x">')


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[a](javascript:alert(1))",
        "<a href='JaVaScRiPt:alert(1)'>a</a>",
        "<a href='data:text/html,x'>a</a>",
        "<iframe src=https://example.com></iframe>",
        "<form action=/sign-out method=post><button>x</button></form>",
        "<p style='position:fixed' class='btn btn-primary' id=main onclick=x>a</p>",
        "<svg><style>*{}</style></svg>",
        "<base href=https://evil.example>",
        "<meta http-equiv=refresh content=0>",
        "<input autofocus onfocus=alert(1)>",
        "<details ontoggle=alert(1) open>",
    ],
)
def test_nothing_that_acts_or_dresses_up_is_left(text: str) -> None:
    html = render(text).lower()
    for part in ("<script", "onerror", "onclick", "ontoggle", "onfocus", 'href="javascript', "href='javascript"):
        assert part not in html
    for part in (
        "<iframe",
        "<form",
        "<button",
        "<svg",
        "<style",
        "<base",
        "<meta",
        "<input",
        " style=",
        "btn",
        'id="main"',
    ):
        assert part not in html
    assert 'href="data:' not in html


@given(st.text(max_size=300))
def test_any_text_is_rendered_without_active_parts(text: str) -> None:
    html = render(text).lower()
    assert "<script" not in html
    assert "<iframe" not in html


def test_lines_of_code_close_what_they_open() -> None:
    lines = highlight_lines('"""One\ntwo"""\nx = 1\n', filename="a.py")
    assert len(lines) == 3
    assert all(line.count("<span") == line.count("</span") for line in lines)
    assert highlight_lines("<b>\n", filename="unknown.zzz") == ["&lt;b&gt;"]
    assert highlight_lines("a\r\nb", filename="a.txt")[1] == "b"


@pytest.mark.parametrize(
    "text",
    [
        f"[a]: /{'x' * 20_000}\n\n{'[a] ' * 400}\n",
        "<div>" * 20_000,
        "<div></span></p>" * 20_000,
    ],
    ids=["one address many times", "nothing closed", "only others closed"],
)
def test_text_that_would_be_endless_is_shown_as_it_was_written(text: str) -> None:
    shown = render(text)
    assert "too large or too deeply nested" in shown
    assert len(shown) < 5 * len(text) + 500
    assert "<div>" not in shown


def test_long_text_of_ordinary_shape_is_laid_out() -> None:
    shown = render("- <b>one</b>\n\n  <p>two\n" * 5_000)
    assert shown.count("<b>one</b>") == 5_000
