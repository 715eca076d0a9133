"""Settings: flags, environment, keys, limits."""

from pathlib import Path

import pytest

from service.settings import Settings, SettingsError, flag_of, make_parser, settings_from, variable_of


def test_defaults() -> None:
    settings = settings_from({}, {})
    assert settings == Settings()
    assert (settings.host, settings.port, settings.max_body_bytes, settings.threads) == (
        "127.0.0.1",
        8000,
        2 * 1024 * 1024,
        16,
    )


def test_flags_win_over_variables_and_empty_variables_are_absent() -> None:
    environment = {"SEQSERVE_PORT": "81", "SEQSERVE_THREADS": "3", "SEQSERVE_HOST": ""}
    settings = settings_from({"port": "82", "threads": None}, environment)
    assert (settings.port, settings.threads, settings.host) == (82, 3, "127.0.0.1")


def test_zero_workers_are_one_per_core() -> None:
    assert Settings(workers=0).num_workers >= 1
    assert Settings(workers=7).num_workers == 7


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("port", "65536"),
        ("port", "-1"),
        ("threads", "0"),
        ("max_tokens", "0"),
        ("deadline_s", "nan"),
        ("deadline_s", "inf"),
        ("drain_s", "-1"),
        ("drain_s", "inf"),
        ("log_level", "loud"),
        ("max_prompt_tokens", "0"),
        ("max_samples", "0"),
        ("max_waiting_samples", "63"),
        ("max_texts", "1.5"),
        ("workers", ""),
    ],
)
def test_a_value_without_meaning_is_refused_by_name(name: str, value: str) -> None:
    if name == "workers":
        assert settings_from({name: value}, {}) == Settings()
        return
    for flags, environment in (({name: value}, {}), ({}, {variable_of(name): value})):
        with pytest.raises(SettingsError) as caught:
            settings_from(flags, environment)
        assert str(caught.value).startswith((flag_of(name), variable_of(name)))


def test_keys_come_from_variable_and_file_and_are_not_shown(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text("three\n\n four \n", "utf-8")
    settings = settings_from({"api_keys_file": str(file)}, {"SEQSERVE_API_KEYS": "one, two,"})
    assert settings.api_keys == ("one", "two", "three", "four")
    assert "one" not in repr(settings)


def test_an_empty_key_file_does_not_open_the_server(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("\n", "utf-8")
    with pytest.raises(SettingsError, match="holds no key"):
        settings_from({"api_keys_file": str(tmp_path / "keys")}, {})


def test_keys_are_no_flag() -> None:
    with pytest.raises(SystemExit):
        make_parser().parse_args(["--api-keys", "secret"])


def test_a_request_that_no_queue_can_take_has_a_limit() -> None:
    assert Settings(max_queue_tokens=50, max_tokens=20).max_request_tokens == 50
    assert Settings(max_queue_tokens=5, max_tokens=20).max_request_tokens == 21
