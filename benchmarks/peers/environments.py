"""One virtual environment for each peer, so that none has to live with another's requirements.

    python -m benchmarks.peers.environments NAME... [--at FOLDER]

`all` makes every one. They lie in .peers/NAME under the repository's root, or in FOLDER/NAME; one that is there with
the same requirements stays. The repository itself is not installed: the programs find it on PYTHONPATH. Where pip
would choose a torch with CUDA libraries, PIP_FIND_LINKS can point to a folder with a CPU build of the same version.
"""

import argparse
import shutil
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path

from benchmarks import run
from benchmarks.peers.requirements import (
    ENVIRONMENTS,
    MARKER,
    REQUIREMENTS,
    EnvironmentMissingError,
    is_made,
    lines_of,
)

_SHOWN = 2000


def make(name: str, environments: Path = ENVIRONMENTS) -> None:
    """Make one environment anew; raises EnvironmentMissingError with the end of pip's words when it fails."""
    folder = environments / name
    if folder.exists():
        shutil.rmtree(folder)
    venv.create(folder, with_pip=True)
    command = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", *REQUIREMENTS[name]]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        raise EnvironmentMissingError(f"{name} cannot be installed: {result.stderr[-_SHOWN:].strip()}")
    (folder / MARKER).write_text(lines_of(name), encoding="utf-8")  # last: a half-made one has no marker


def main(words: Sequence[str] | None = None) -> int:
    """Make environments; one that fails does not keep the others from being made."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers.environments", description=__doc__.split("\n")[0])
    parser.add_argument(
        "names", nargs="+", choices=[*REQUIREMENTS, "all"], metavar="NAME", help=f"{', '.join(REQUIREMENTS)} or all"
    )
    parser.add_argument("--at", type=Path, default=ENVIRONMENTS, metavar="FOLDER", help=f"({ENVIRONMENTS.name})")
    arguments = parser.parse_args(words)
    failures = 0
    for name in REQUIREMENTS if "all" in arguments.names else arguments.names:
        try:
            if not is_made(name, arguments.at):
                make(name, arguments.at)
            print(f"{name}: {arguments.at / name}", flush=True)
        except EnvironmentMissingError as error:
            failures += 1
            print(f"error: {error}", file=sys.stderr, flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    run(main)
