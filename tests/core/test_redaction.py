import base64
import html
import json
import time
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roadbed.core.redaction import MASK, MINIMUM_BYTES, Redactor
from roadbed.identity.rules import new_token_value

SECRETS = st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=8, max_size=60)
NEIGHBOURS = st.binary(max_size=7)
PLAIN = "it stays readable"
KEY = (
    "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\nBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\n"
    "-----END PRIVATE KEY-----\n"
)


def derive(secret: str) -> dict[str, str]:
    data = secret.encode()
    return {
        "plain": secret,
        "base64": base64.b64encode(data).decode(),
        "base64 url-safe": base64.urlsafe_b64encode(data).decode(),
        "base64 without padding": base64.b64encode(data).decode().rstrip("="),
        "quote": quote(secret),
        "quote all": quote(secret, safe=""),
        "quote_plus": quote_plus(secret),
        "JSON": json.dumps(secret),
        "JSON in UTF-8": json.dumps(secret, ensure_ascii=False),
        "JSON in JSON": json.dumps(json.dumps(secret)),
        "HTML": html.escape(secret),
        "hex": data.hex(),
        "HEX": data.hex().upper(),
    }


@given(secret=SECRETS)
def test_no_derived_form_survives(secret: str) -> None:
    redactor = Redactor([secret])
    for name, form in derive(secret).items():
        masked = redactor.mask(f"{PLAIN} before={form} after")
        assert form.strip('"') not in masked, name
        assert MASK in masked, name


@given(secret=SECRETS, before=NEIGHBOURS, after=NEIGHBOURS)
def test_base64_is_masked_at_every_alignment(secret: str, before: bytes, after: bytes) -> None:
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        encoded = encode(before + b":" + secret.encode() + b":" + after).decode()
        masked = Redactor([secret]).mask(f"Authorization: Basic {encoded}")
        pieces = masked.removeprefix("Authorization: Basic ").rstrip("=").split(MASK)
        assert len(pieces) >= 2
        # What is left decodes to the neighbours at most: the characters that the secret touches are gone.
        assert sum(map(len, pieces)) * 6 <= (len(before) + len(after) + 2) * 8 + 4


@given(secret=SECRETS, sizes=st.lists(st.integers(1, 9), min_size=1, max_size=40), data=st.data())
def test_chunk_borders_do_not_let_a_secret_through(secret: str, sizes: list[int], data: st.DataObject) -> None:
    form = data.draw(st.sampled_from(sorted(derive(secret).values())))
    text = f"one {form} two\nthree {form}".encode()
    stream = Redactor([secret]).stream()
    shown, position = b"", 0
    for size in sizes:
        shown += stream.feed(text[position : position + size])
        position += size
    shown += stream.feed(text[position:]) + stream.flush()
    assert shown == Redactor([secret]).mask_bytes(text)
    assert form.strip('"').encode() not in shown


@given(text=st.text(alphabet="abcdefghij \n", max_size=300))
def test_text_without_secrets_is_left_alone(text: str) -> None:
    assert Redactor(["A-SECRET-0123", "another/SECRET"]).mask(text) == text


def test_long_line_is_let_go_in_parts_and_stays_masked() -> None:
    secret = "S3cret-value-of-the-line"
    line = (b"x" * 1000 + secret.encode()) * 400
    stream = Redactor([secret]).stream()
    shown = [stream.feed(line[at : at + 777]) for at in range(0, len(line), 777)]
    assert any(shown), "something must be shown before the line ends"
    whole = b"".join(shown) + stream.flush()
    assert whole == line.replace(secret.encode(), MASK.encode())


def test_each_line_of_a_key_is_masked_and_its_armour_is_kept() -> None:
    redactor = Redactor([KEY])
    assert redactor.mask("  MIIEvQIBADANBgkqhkiG9w0BAQEFAASC  ") == f"  {MASK}  "
    assert redactor.mask("-----BEGIN PRIVATE KEY-----") == "-----BEGIN PRIVATE KEY-----"
    assert redactor.mask(json.dumps({"key": KEY})) == json.dumps({"key": MASK})


@pytest.mark.parametrize("width", [64, 76])
def test_wrapped_base64_is_masked_line_by_line(width: int) -> None:
    encoded = base64.b64encode(KEY.encode()).decode()
    wrapped = "\n".join(encoded[at : at + width] for at in range(0, len(encoded), width))
    masked = Redactor([KEY]).mask(wrapped)
    assert set(masked) <= {"*", "\n"}


@pytest.mark.parametrize("value", ["", "a", "prod", "x" * (MINIMUM_BYTES - 1), "  a    \n"])
def test_values_too_short_to_mask_are_counted_and_left(value: str) -> None:
    redactor = Redactor([value])
    assert redactor.mask("a prod text") == "a prod text"
    assert redactor.skipped_count == 1


@given(before=NEIGHBOURS, after=NEIGHBOURS)
def test_tokens_of_roadbed_are_masked_by_their_shape(before: bytes, after: bytes) -> None:
    token, redactor = new_token_value(), Redactor(())
    assert redactor.mask(f"GET /git?token={token}&x=1 {token}") == f"GET /git?token={MASK}&x=1 {MASK}"
    assert redactor.mask("rbt_ begins every token") == "rbt_ begins every token"
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        encoded = encode(before + b":" + token.encode() + b":" + after).decode()
        masked = redactor.mask(f"Authorization: Basic {encoded}")
        pieces = masked.removeprefix("Authorization: Basic ").rstrip("=").split(MASK)
        assert len(pieces) == 2
        assert sum(map(len, pieces)) * 6 <= (len(before) + len(after) + 2) * 8 + 4


@pytest.mark.parametrize("size", [1, 7, 4096])
def test_token_of_roadbed_is_masked_wherever_chunks_cut_it(size: int) -> None:
    data = f"{'x' * 70_000} {new_token_value()} end\n{new_token_value()}".encode()
    stream = Redactor(()).stream()
    shown = b"".join(stream.feed(data[at : at + size]) for at in range(0, len(data), size)) + stream.flush()
    assert shown == b"x" * 70_000 + f" {MASK} end\n{MASK}".encode()


def test_structures_are_masked_with_their_keys() -> None:
    data = {"user": "ada", "s3cr3t-key": ["url=postgres://u:s3cr3t-key@h/db", 7, None, {"deep": b"s3cr3t-key"}]}
    assert Redactor(["s3cr3t-key"]).mask_data(data) == {
        "user": "ada",
        MASK: [f"url=postgres://u:{MASK}@h/db", 7, None, {"deep": MASK.encode()}],
    }


def test_overlapping_secrets_become_one_mask() -> None:
    assert Redactor(["abcdefgh", "efghijkl"]).mask("-abcdefghijkl-") == f"-{MASK}-"


def test_binary_secret_is_masked_in_text_and_bytes() -> None:
    secret = bytes(range(200, 232))
    redactor = Redactor([secret])
    assert redactor.mask_bytes(b"<" + secret + b">") == b"<***>"
    assert redactor.mask(base64.b64encode(secret).decode()) == MASK


@given(text=st.text(max_size=80))
def test_any_text_goes_through_unharmed(text: str) -> None:
    assert Redactor(["not-in-there-1234567"]).mask(text + "\ud800") == text + "\ud800"


def test_a_thousand_secrets_are_searched_at_more_than_two_megabytes_a_second() -> None:
    redactor = Redactor([f"ghp_{number:08d}{'k' * 20}" for number in range(1000)])
    line = "2026-11-23T12:00:00Z INFO ghp_ is how such tokens begin, and this line is one hundred characters\n"
    text = line * 10_000
    started = time.process_time()
    assert redactor.mask(text) is text
    assert len(text) / (time.process_time() - started) > 2_000_000
