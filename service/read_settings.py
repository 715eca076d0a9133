"""Read the settings from flags, environment variables and a file of keys."""

import argparse
import dataclasses
import logging
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from seqserve.errors import BundleError
from seqserve.files import read_file
from seqserve.service.cores import available_cores
from seqserve.service.settings import Settings, SettingsError, flag_of, options, variable_of

_MAX_KEY_FILE_BYTES = 1024 * 1024
_SERVICE_LINK = re.compile(r"(?:tcp|udp|sctp)://")
_UNITS = {"s": "SECONDS", "bytes": "BYTES", "tokens": "TOKENS", "port": "PORT"}
"""The placeholder of a value in --help, by the last word of the setting's name."""

EPILOG = """\
Each setting is a flag and an environment variable; the flag wins. API keys are never taken from the command line:
SEQSERVE_API_KEYS holds them, separated by commas, or --api-keys-file names a file with one a line. In the file, empty
lines and lines that begin with # are no keys.
"""


def add_settings(parser: argparse.ArgumentParser) -> None:
    """Add every setting's flag to a parser; flags that are not given stay None.

    The parser must not take abbreviations: --api-keys would be --api-keys-file, with the key itself as its value.
    """
    defaults = {field.name: field.default for field in dataclasses.fields(Settings)}
    for name, option in options():
        default = option.shown or ("none" if defaults[name] is None else defaults[name])
        text = option.help.format(cores=available_cores()).replace("%", "%%")
        parser.add_argument(
            flag_of(name),
            action="append" if option.separator else "store",
            choices=option.choices or None,
            help=f"{text} (default {default}; {variable_of(name)})",
            metavar=None if option.choices else option.unit or _UNITS.get(name.split("_")[-1], "N"),
        )


def settings_from(flags: Mapping[str, str | Sequence[str] | None], environment: Mapping[str, str]) -> Settings:
    """Merge flags (which win) with environment variables; empty variables and service links count as absent.

    Logs a warning for each service link. Raises UsageError.
    """
    values: dict[str, Any] = {}
    for field, option in options():
        name, given = flag_of(field), flags.get(field)
        if given is None and (text := _variable(field, environment)):
            name, given = variable_of(field), text.split(option.separator) if option.separator else text
        if option.separator:
            given = [each for each in given or () if each]
        if not given:
            continue
        try:
            values[field] = option.read(given)
        except ValueError:
            kind = "a whole number" if option.read is int else "a number"
            raise SettingsError(f"{name} must be {kind}, not {given!r}.") from None
    keys = _read_keys(values.get("api_keys_file"), environment.get("SEQSERVE_API_KEYS", ""))
    return Settings(**values, api_keys=keys)


def _variable(name: str, environment: Mapping[str, str]) -> str | None:
    """Return the value of a setting's variable; None for a value that Kubernetes sets for a Service named seqserve."""
    value = environment.get(variable_of(name))
    if value is None or not _SERVICE_LINK.match(value):
        return value
    logging.getLogger("seqserve").warning(
        "%s is ignored: its value %r is a service link of Kubernetes, not a setting.", variable_of(name), value
    )
    return None


def _read_keys(file: Path | None, variable: str) -> tuple[str, ...]:
    keys = [key for part in variable.split(",") if (key := part.strip())]
    # A variable or a file without keys must not open the server to all clients.
    if variable and not keys:
        raise SettingsError("SEQSERVE_API_KEYS is set but holds no key.")
    if file is not None:
        found = _read_key_file(file)
        if not found:
            raise SettingsError(f"--api-keys-file {file} holds no key.")
        keys += found
    return tuple(keys)


def _read_key_file(file: Path) -> list[str]:
    try:
        text = read_file(file, max_bytes=_MAX_KEY_FILE_BYTES).decode("utf-8-sig")
    except BundleError as error:
        raise SettingsError(f"--api-keys-file {error}.") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"--api-keys-file {file}: byte {error.start} is not UTF-8.") from error
    return [key for line in text.splitlines() if (key := line.strip()) and not key.startswith("#")]
