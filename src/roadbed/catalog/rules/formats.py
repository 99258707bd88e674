"""Which texts the fields of an envelope may hold. The rules are Backstage's, which took them from Kubernetes."""

import math
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

from roadbed.catalog.rules.urls import is_url

# JavaScript's trim(): white space, line ends and the byte order mark.
_BLANKS = "\t\n\v\f\r \u00a0\u1680\u2028\u2029\u202f\u205f\u3000\ufeff" + "".join(map(chr, range(0x2000, 0x200B)))

NAME_PATTERN = "^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$"
NAMESPACE_PATTERN = r"^[a-z0-9]+(?:\-+[a-z0-9]+)*$"
KIND_PATTERN = "^[a-zA-Z][a-z0-9A-Z]*$"
TAG_PATTERN = r"^[a-z0-9:+#]+(\-[a-z0-9:+#]+)*$"

_NAME = re.compile(NAME_PATTERN[1:-1])
_LABEL = re.compile(NAMESPACE_PATTERN[1:-1])
_KIND = re.compile(KIND_PATTERN[1:-1])
_TAG = re.compile(TAG_PATTERN[1:-1])
_VERSION = re.compile("[a-z0-9A-Z]+")


class Format(NamedTuple):
    """A test of a value, and what it expects, in words."""

    accepts: Callable[[Any], bool]
    expected: str


def _is_text(value: Any, pattern: re.Pattern[str]) -> bool:
    return isinstance(value, str) and _fits(value, pattern)


@lru_cache(maxsize=16_384)
def _fits(text: str, pattern: re.Pattern[str]) -> bool:
    """Match a text; a catalog has few labels and tags, over and over."""
    return 1 <= len(text) <= 63 and pattern.fullmatch(text) is not None


def is_json_safe(value: Any) -> bool:
    """Tell whether `value` survives being written as JSON and read again."""
    if value is None or isinstance(value, str | bool | int):
        return True
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, list):
        return all(map(is_json_safe, value))
    return isinstance(value, dict) and all(isinstance(key, str) and is_json_safe(value[key]) for key in value)


def is_dns_label(value: Any) -> bool:
    return _is_text(value, _LABEL)


def is_dns_subdomain(value: Any) -> bool:
    return isinstance(value, str) and 1 <= len(value) <= 253 and all(map(is_dns_label, value.split(".")))


def is_kind(value: Any) -> bool:
    return _is_text(value, _KIND)


def is_object_name(value: Any) -> bool:
    return _is_text(value, _NAME)


def is_namespace(value: Any) -> bool:
    return is_dns_label(value)


def is_tag(value: Any) -> bool:
    return _is_text(value, _TAG)


def is_valid_url(value: Any) -> bool:
    return isinstance(value, str) and is_url(value)


def is_non_empty_string(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip(_BLANKS))


def is_api_version(value: Any) -> bool:
    """Tell whether `value` is `version` or `dns.subdomain/version`."""
    return _is_prefixed(value, lambda suffix: _is_text(suffix, _VERSION))


def is_label_key(value: Any) -> bool:
    return isinstance(value, str) and _is_key(value)


def is_label_value(value: Any) -> bool:
    return value == "" or is_object_name(value)


def is_annotation_key(value: Any) -> bool:
    return is_label_key(value)


def is_annotation_value(value: Any) -> bool:
    return isinstance(value, str)


@lru_cache(maxsize=4096)
def _is_key(text: str) -> bool:
    """Tell whether a text may be the key of a label or annotation; a catalog has few, over and over."""
    return _is_prefixed(text, is_object_name)


def _is_prefixed(value: Any, is_suffix: Callable[[Any], bool]) -> bool:
    if not isinstance(value, str):
        return False
    parts = value.split("/")
    if len(parts) > 2:
        return False
    return is_suffix(parts[-1]) and (len(parts) == 1 or is_dns_subdomain(parts[0]))


_NAME_WORDS = "letters and digits, separated by any of - _ . , at most 63 characters"

API_VERSION = Format(is_api_version, "a version such as v1, optionally after a domain and a slash: example.com/v1")
KIND = Format(is_kind, "letters and digits, beginning with a letter, at most 63 characters")
NAME = Format(is_object_name, _NAME_WORDS)
NAMESPACE = Format(is_namespace, "lower-case letters and digits, separated by hyphens, at most 63 characters")
LABEL_KEY = Format(is_label_key, f"{_NAME_WORDS}, optionally after a domain and a slash")
LABEL_VALUE = Format(is_label_value, f"empty, or {_NAME_WORDS}")
ANNOTATION_KEY = Format(is_annotation_key, f"{_NAME_WORDS}, optionally after a domain and a slash")
ANNOTATION_VALUE = Format(is_annotation_value, "a text; put numbers and true or false in quotes")
TAG = Format(is_tag, "lower-case letters, digits, : + # , separated by hyphens, at most 63 characters")
URL = Format(is_valid_url, "a full URL such as https://example.com/page")
TEXT = Format(is_non_empty_string, "a text that is not blank")
