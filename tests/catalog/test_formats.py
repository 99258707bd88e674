import pytest

from roadbed.catalog.rules.formats import is_object_name, is_tag
from roadbed.catalog.rules.urls import is_url


@pytest.mark.parametrize(
    "text",
    [
        "http://foo",
        "HTTP:foo",
        "https:\\\\foo",
        " https://foo ",
        "https://user:pw@foo:8080/x",
        "https://[::1]:80/",
        "https://0x7f.1/",
        "https://1.2.3.4",
        "https://a_b/",
        "https://ünï.example/",
        "https://foo:/x",
        "https://foo:00080",
        "mailto:a@b",
        "xyz://host:44/p",
        "xyz:",
        "xyz:///p",
        "file:///etc/hosts",
        "file://C:/x",
        "javascript:alert(1)",
        "a b://x".replace(" ", "+"),
        "ht\ntps://foo",
    ],
)
def test_url_is_accepted_as_browsers_do(text: str) -> None:
    assert is_url(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "abc",
        "/path",
        "//host",
        "1a:b",
        "https://",
        "https:///",
        "https://foo:99999",
        "https://foo:80a",
        "https://user@",
        "https://[::1",
        "https://[g]/",
        "https://1.2.3.256",
        "https://1.2.3.4.5",
        "https://a b/",
        "https://%zz/",
        "https://a^b/",
        "xyz://:80/",
        "xyz://a b/",
    ],
)
def test_url_is_refused_as_browsers_do(text: str) -> None:
    assert not is_url(text)


def test_trailing_line_end_is_not_overlooked() -> None:
    assert not is_object_name("orders\n")
    assert not is_tag("tag\n")
