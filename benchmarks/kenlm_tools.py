"""KenLM's programs: built from its source package, run on token sequences.

Words that the vocabulary does not know become one ordinary word, as <UNK> is one type to a bundle: KenLM's own <unk>
is for types that never occur in training, and its lmplz refuses the spelling.
"""

import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from seqserve.errors import SeqserveError

VERSION = "0.3.0"
NEEDS = "cmake g++ libboost-program-options-dev libboost-system-dev libboost-thread-dev libboost-test-dev zlib1g-dev"
UNKNOWN_WORD = "<unknown>"
_PROGRAMS = ("lmplz", "build_binary", "query")
_REFUSED = frozenset({"<s>", "</s>", "<unk>", "<UNK>"})  # lmplz takes them for its own


class KenlmError(SeqserveError):
    """KenLM cannot be had, or one of its programs failed."""


@dataclass(frozen=True, slots=True)
class Answer:
    """KenLM's word for one sentence: log10 of each token, </s> last, and which are unknown words."""

    log10_probs: list[float]
    are_unknown: list[bool]


@dataclass(frozen=True, slots=True)
class Kenlm:
    """A trained model, and the folder of the programs."""

    programs: Path
    binary: Path

    def query(self, sentences: Iterable[Sequence[str]]) -> list[Answer]:
        """Answer each sentence, which is conditioned on <s> and ends in </s>."""
        command = [str(self.programs / "query"), "-v", "word", "-v", "sentence", str(self.binary)]
        return [_answer(line) for line in _piped(command, sentences).split("\n")[:-1]]

    def tokens_per_s(self, sentences: Sequence[Sequence[str]], *, rounds: int = 3) -> float:
        """Return the speed of `query`, </s> counted, without the time to load the model; median of rounds."""
        command = [str(self.programs / "query"), "-v", "summary", str(self.binary)]
        seconds = []
        for _ in range(rounds):
            started = time.perf_counter()
            _piped(command, [])
            loaded = time.perf_counter()
            _piped(command, sentences)
            seconds.append(time.perf_counter() - loaded - (loaded - started))
        return sum(len(sentence) + 1 for sentence in sentences) / max(statistics.median(seconds), 1e-9)


def build(folder: Path) -> Path:
    """Return the folder of lmplz, build_binary and query, built under `folder` if they are not there.

    Raises KenlmError, naming the Debian packages that the build needs.
    """
    programs = folder / "build" / "bin"
    if all((programs / name).is_file() for name in _PROGRAMS):
        return programs
    folder.mkdir(parents=True, exist_ok=True)
    download = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", "kenlm"]
    _run([*download, "--no-build-isolation", "--dest", str(folder), f"kenlm=={VERSION}"], "pip cannot get kenlm")
    with tarfile.open(folder / f"kenlm-{VERSION}.tar.gz") as archive:
        archive.extractall(folder, filter="data")
    needs = f"KenLM cannot be built; it needs the Debian packages {NEEDS}"
    source, built = str(folder / f"kenlm-{VERSION}"), str(folder / "build")
    _run(["cmake", "-S", source, "-B", built, "-DCMAKE_BUILD_TYPE=Release"], needs)
    _run(["cmake", "--build", built, "--target", *_PROGRAMS], needs)
    return programs


def train(programs: Path, sentences: Iterable[Sequence[str]], folder: Path, *, order: int = 5) -> Kenlm:
    """Train a modified Kneser-Ney model with interpolated unigrams, nothing pruned; raises KenlmError."""
    arpa, binary = folder / f"order{order}.arpa", folder / f"order{order}.binary"
    lmplz = [str(programs / "lmplz"), "-o", str(order), "-S", "2G", "-T", str(folder / "sort"), "--arpa", str(arpa)]
    _piped(lmplz, sentences)
    _run([str(programs / "build_binary"), str(arpa), str(binary)], "build_binary failed")
    arpa.unlink()  # several times as large as the binary
    return Kenlm(programs, binary)


def mapped(sentences: Iterable[Sequence[str]], known: Callable[[str], str | None]) -> Iterator[list[str]]:
    """Write every word as `known` spells it, None and what KenLM refuses as UNKNOWN_WORD."""
    for sentence in sentences:
        spelled = [known(word) for word in sentence]
        yield [UNKNOWN_WORD if word is None or word in _REFUSED else word for word in spelled]


def _answer(line: str) -> Answer:
    *tokens, _ = line.split("\t")  # "word=id length log10" for each, then "Total: log10 OOV: number"
    fields = [field.rsplit(" ", 2) for field in tokens]
    words = [word.rpartition("=") for word, _, _ in fields]
    unknown = [word == UNKNOWN_WORD or number == "0" for word, _, number in words]
    return Answer([float(log10_prob) for _, _, log10_prob in fields], unknown)


def _piped(command: Sequence[str], sentences: Iterable[Sequence[str]]) -> str:
    """Return what a program prints that reads sentences, one a line."""
    with tempfile.TemporaryFile() as lines, tempfile.TemporaryFile() as log:
        _write(lines, sentences)
        lines.seek(0)
        result = subprocess.run(command, stdin=lines, stdout=subprocess.PIPE, stderr=log, check=False)
        if result.returncode:
            log.seek(0)
            raise KenlmError(f"{Path(command[0]).name} failed: {log.read()[-500:].decode(errors='replace').strip()}")
    return result.stdout.decode("utf-8")


def _write(lines: IO[bytes], sentences: Iterable[Sequence[str]]) -> None:
    for sentence in sentences:
        lines.write((" ".join(sentence) + "\n").encode())


def _run(command: Sequence[str], failure: str) -> None:
    try:
        result = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        raise KenlmError(f"{failure}: {error}") from error
    if result.returncode:
        raise KenlmError(f"{failure}: {result.stderr[-500:].strip()}")
