"""Settings: what is refused, and by which name."""

import pytest

from roadbed.core.settings import InvalidSettings, load_settings


@pytest.mark.parametrize(
    ("variable", "value", "reason"),
    [
        ("ROADBED_DATABASE__URI", "postgresql://x", "did you mean ROADBED_DATABASE__URL?"),
        ("ROADBED_DATABSE__URL", "postgresql://x", "did you mean ROADBED_DATABASE__URL?"),
        ("ROADBED_COLOUR", "red", "there is no such setting"),
        ("ROADBED_SECRETS__KEY", "short", "32 bytes in base64"),
        ("ROADBED_HTTP__PUBLIC_URL", "roadbed.example.com", "an address without a path"),
        ("ROADBED_HTTP__TRUSTED_PROXIES", "nonsense", "'nonsense' does not appear to be"),
        ("ROADBED_OUTBOUND__ALLOWED_HOSTS", "10.0.0.0/99", "'10.0.0.0/99' does not appear to be"),
        ("ROADBED_HTTP__TRUSTED_PROXIES", "[10", "Expecting"),
        ("ROADBED_PORT", "high", "valid integer"),
    ],
)
def test_wrong_variable_is_named_with_the_reason(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, reason: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(InvalidSettings) as refused:
        load_settings()
    assert len(refused.value.problems) == 1
    assert refused.value.problems[0].startswith(f"{variable}: ")
    assert reason in refused.value.problems[0]


@pytest.mark.parametrize("text", ["10.0.0.0/8, ::1", '["10.0.0.0/8", "::1"]'])
def test_list_is_written_with_commas_or_as_json(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("ROADBED_HTTP__TRUSTED_PROXIES", text)
    assert load_settings().http.trusted_proxies == ["10.0.0.0/8", "::1"]


def test_variables_of_the_command_line_are_no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROADBED_TOKEN", "rbt_x")
    monkeypatch.setenv("ROADBED_URL", "http://127.0.0.1:8400")
    assert load_settings().port == 8400


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('[database]\nuri = "postgresql://x"\n', "ROADBED_DATABASE__URI: there is no such setting"),
        ("[htp]\na = 1\n", "ROADBED_HTP: there is no such setting"),
    ],
)
def test_unknown_line_of_the_file_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory, text: str, reason: str
) -> None:
    folder = tmp_path_factory.mktemp("settings")
    (folder / "roadbed.toml").write_text(text)
    monkeypatch.chdir(folder)
    with pytest.raises(InvalidSettings) as refused:
        load_settings()
    assert refused.value.problems[0].startswith(reason)


def test_file_that_is_no_toml_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("settings")
    (folder / "roadbed.toml").write_text("[x")
    monkeypatch.chdir(folder)
    with pytest.raises(InvalidSettings, match=r"roadbed\.toml cannot be read"):
        load_settings()
