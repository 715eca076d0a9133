"""Settings: flags, environment, keys, limits."""

import argparse
import dataclasses
import logging
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from seqserve.service.read_settings import add_settings, settings_from
from seqserve.service.settings import Address, Settings, SettingsError, flag_of, variable_of


def parse(*arguments: str) -> dict[str, Any]:
    """Return the flags of a command line, as `settings_from` takes them."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    add_settings(parser)
    return vars(parser.parse_args(arguments))


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


@pytest.mark.parametrize("value", [",", " ", " , ,"])
def test_a_variable_that_holds_no_key_does_not_open_the_server(tmp_path: Path, value: str) -> None:
    with pytest.raises(SettingsError, match=r"\ASEQSERVE_API_KEYS is set but holds no key\.\Z"):
        settings_from({}, {"SEQSERVE_API_KEYS": value})


def test_an_empty_variable_is_absent() -> None:
    assert settings_from({}, {"SEQSERVE_API_KEYS": ""}).api_keys == ()


def test_comments_and_blank_lines_of_a_key_file_are_no_keys(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text("\ufeff# the first team\none\n\n   \n # the second\ntwo#2\r\n", "utf-8")
    assert settings_from({"api_keys_file": str(file)}, {}).api_keys == ("one", "two#2")


def test_a_key_file_without_keys_is_refused_although_the_variable_holds_one(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("# none yet\n", "utf-8")
    with pytest.raises(SettingsError, match="holds no key"):
        settings_from({"api_keys_file": str(tmp_path / "keys")}, {"SEQSERVE_API_KEYS": "one"})


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda path: path.symlink_to("/dev/zero"), "is not a regular file"),
        (os.mkfifo, "is not a regular file"),
        (lambda path: path.mkdir(), "is not a regular file"),
        (lambda path: path.write_bytes(b"key\n\xff"), "byte 4 is not UTF-8"),
        (lambda path: path.write_bytes(bytes(1024 * 1024 + 1)), "has 1048577 bytes, more than the 1048576"),
        (lambda path: None, "cannot be read: No such file or directory"),
    ],
    ids=["device", "fifo", "folder", "not UTF-8", "large", "missing"],
)
def test_a_key_file_that_cannot_be_one_is_refused(tmp_path: Path, make: Callable[[Path], object], reason: str) -> None:
    make(tmp_path / "keys")
    with pytest.raises(SettingsError, match=rf"\A--api-keys-file \S*/keys: {reason}[^\n]*\.\Z"):
        settings_from({"api_keys_file": str(tmp_path / "keys")}, {})


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> pytest.LogCaptureFixture:
    """What is logged, also after another test has set up the logger as the server does."""
    monkeypatch.setattr(logging.getLogger("seqserve"), "propagate", True)
    caplog.set_level("INFO", "seqserve")
    return caplog


@pytest.mark.parametrize("scheme", ["tcp", "udp", "sctp"])
def test_service_links_of_kubernetes_are_passed_over_with_one_warning(
    logged: pytest.LogCaptureFixture, scheme: str
) -> None:
    link = f"{scheme}://10.96.12.7:8000"
    settings = settings_from({}, {"SEQSERVE_PORT": link, "SEQSERVE_OPS_PORT": "9000"})
    assert (settings.port, settings.ops_port) == (8000, 9000)
    assert [record.getMessage() for record in logged.records] == [
        f"SEQSERVE_PORT is ignored: its value {link!r} is a service link of Kubernetes, not a setting."
    ]


def test_every_variable_may_be_a_service_link(logged: pytest.LogCaptureFixture) -> None:
    names = [field.name for field in dataclasses.fields(Settings) if field.name != "api_keys"]
    environment = {variable_of(name): "tcp://10.96.12.7:8000" for name in names}
    assert settings_from({}, environment) == Settings()
    assert len(logged.records) == len(names)


def test_a_flag_is_never_a_service_link() -> None:
    with pytest.raises(SettingsError, match=r"\A--port must be a whole number, not 'tcp://10\.96\.12\.7:8000'\.\Z"):
        settings_from({"port": "tcp://10.96.12.7:8000"}, {})


@pytest.mark.parametrize(
    ("host", "ops_port", "addresses"),
    [
        ("127.0.0.1", "-1", [("127.0.0.1", 8000)]),
        ("localhost", "9000", [("localhost", 8000), ("localhost", 9000)]),
        ("::1", "9000", [("::1", 8000), ("::1", 9000)]),
        ("[::1]", "0", [("::1", 8000), ("::1", 0)]),
        ("unix:/run/seqserve.sock", "-1", ["/run/seqserve.sock"]),
        ("unix:/run/seqserve.sock", "9000", ["/run/seqserve.sock", ("127.0.0.1", 9000)]),
    ],
)
def test_addresses_to_listen_on(host: str, ops_port: str, addresses: list[Address]) -> None:
    assert settings_from({"host": host, "ops_port": ops_port}, {}).addresses == addresses


def test_the_ports_of_requests_and_of_probes_differ() -> None:
    with pytest.raises(SettingsError, match=r"\A--ops-port must be another than --port, not 8000\.\Z"):
        Settings(ops_port=8000)


def test_several_folders_of_models_keep_their_order() -> None:
    folders = (Path("b"), Path("a:c"))
    assert settings_from(parse("--models", "b", "--models", "a:c"), {"SEQSERVE_MODELS": "x"}).models == folders
    variable = os.pathsep.join(["b", "a", ""])
    assert settings_from({}, {"SEQSERVE_MODELS": variable}).models == (Path("b"), Path("a"))


def test_defaults_of_tasks_may_be_given_together_or_apart() -> None:
    wanted = (("tag", "ner-en"), ("language-model", "lm-en"))
    assert settings_from(parse("--default", "tag=ner-en, language-model=lm-en"), {}).default == wanted
    assert settings_from(parse("--default", "tag=ner-en", "--default", "language-model=lm-en"), {}).default == wanted
    assert settings_from({}, {"SEQSERVE_DEFAULT": "tag=ner-en,language-model=lm-en"}).default == wanted


def test_every_field_is_a_flag_a_variable_and_a_line_of_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse("--help")
    text = capsys.readouterr().out
    names = [field.name for field in dataclasses.fields(Settings) if field.name != "api_keys"]
    assert all(f"{flag_of(name)} " in text and f"{variable_of(name)})" in text for name in names)


def test_brackets_are_no_part_of_an_address() -> None:
    assert settings_from({"host": "[::1]"}, {}) == settings_from({}, {"SEQSERVE_HOST": "::1"})


def test_a_socket_may_take_the_place_of_an_old_one(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as old:
        old.bind(str(path))
    assert Settings(host=f"unix:{path}").addresses == [str(path)]


@pytest.mark.parametrize("path", ["", "/" + "x" * 107])
def test_the_path_of_a_socket_has_a_length(path: str) -> None:
    with pytest.raises(SettingsError, match=r"--host must be unix: and a path of 1 to 107 bytes"):
        Settings(host=f"unix:{path}")


def test_a_file_is_not_replaced_by_a_socket(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match=r"--host must be unix: and the path of a socket or of no file"):
        Settings(host=f"unix:{tmp_path}/file")


def test_keys_are_no_flag() -> None:
    with pytest.raises(SystemExit):
        parse("--api-keys", "secret")


def test_a_request_that_no_queue_can_take_has_a_limit() -> None:
    assert Settings(max_queue_tokens=50, max_tokens=20).max_request_tokens == 50
    assert Settings(max_queue_tokens=5, max_tokens=20).max_request_tokens == 21
