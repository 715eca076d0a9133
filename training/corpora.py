"""The known data sets, their origin, and their state in the data folder."""

import gzip
import hashlib
import lzma
import os
import shutil
import tomllib
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache, partial
from pathlib import Path

import msgspec

from seqserve.errors import SeqserveError

COMMAND = "seqserve train corpora"
_REGISTRY = Path(__file__).with_name("corpora.toml")


class CorporaError(SeqserveError):
    """A data set that is unknown, absent or damaged; one sentence that names the file and what to do."""


class CorpusFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One file of a data set; path is below the data folder.

    content_sha256: of a .gz or .xz file's content; two packers write different bytes for one content.
    url: where it can be downloaded, then turned into this file by the converter that `convert` names, if any.
    """

    path: str
    bytes: int
    sha256: str
    content_sha256: str = ""
    url: str = ""
    convert: str = ""


class Corpus(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One data set; ship: weights and vocabularies made from it may be published.

    ship_text: so may those of a model that learns from its text alone, without its labels.
    """

    name: str
    kind: str
    title: str
    labels: str
    scheme: str
    columns: str
    licence: str
    ship: bool
    ship_text: bool = False
    attribution: str
    source: str
    revision: str
    changes: str
    files: tuple[CorpusFile, ...]


class _Registry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    corpus: tuple[Corpus, ...]


@cache
def known_corpora() -> tuple[Corpus, ...]:
    """Return all data sets of corpora.toml."""
    return msgspec.convert(tomllib.loads(_REGISTRY.read_text(encoding="utf-8")), _Registry).corpus


def find_corpus(name: str) -> Corpus:
    """Return the data set of that name; raises CorporaError with the known names."""
    for corpus in known_corpora():
        if corpus.name == name:
            return corpus
    raise CorporaError(f"{name}: no such data set; known are {', '.join(each.name for each in known_corpora())}")


def data_folder() -> Path:
    """Return the folder of all data sets: SEQSERVE_DATA, or data/ under the working directory."""
    return Path(os.environ.get("SEQSERVE_DATA") or "data")


def corpus_file(path: str) -> Path:
    """Return a file of a known data set ("wnut17/dev.conll") or its folder ("spacy_md_vectors"), checked.

    Raises CorporaError when it is absent, with the command that gets it, or when its checksum is wrong.
    """
    corpus = find_corpus(path.split("/")[0])
    files = [file for file in corpus.files if path in (corpus.name, file.path)]
    if not files:
        raise CorporaError(f"{path}: {corpus.name} has {', '.join(file.path for file in corpus.files)}")
    for file in files:
        found = data_folder() / file.path
        if not found.is_file():
            fetch = f" or `{COMMAND} --fetch {corpus.name}`" if file.url else ""
            raise CorporaError(f"{found} is not there: get it with `{COMMAND} --from FOLDER {corpus.name}`{fetch}")
        check_file(found, file)
    return data_folder() / path


def is_known(file: str) -> bool:
    """Return whether a file that a configuration names is one of a known data set."""
    return file.split("/")[0] in {corpus.name for corpus in known_corpora()}


def is_own(file: str) -> bool:
    """Return whether a configuration names a path of the user's own: no known data set, no installed package."""
    return not is_known(file) and not file.startswith("package:")


def data_path(file: str) -> Path:
    """Return the path of a file that a configuration names: of a known data set, checked, or the user's own.

    Raises CorporaError when it is absent or damaged.
    """
    if is_known(file):
        return corpus_file(file)
    if not Path(file).exists():
        raise CorporaError(
            f"{file}: there is no such file; own files are relative to the configuration's folder, those of a known "
            f"data set are NAME/FILE (`{COMMAND}`)"
        )
    return Path(file)


def dev_names(files: Sequence[str], details: Sequence[str]) -> list[str]:
    """Return unique names for the scores of files; `details` are added in brackets.

    An own file is named without its folder where that is unique, so that paths stay on this machine.
    """
    short = {file: file if is_known(file) else Path(file).name for file in files}
    shared = {name for name, count in Counter(short.values()).items() if count > 1}
    names: list[str] = []
    for file, detail in zip(files, details, strict=True):
        name = (file if short[file] in shared else short[file]) + (f" ({detail})" if detail else "")
        names.append(name if name not in names else f"{name} [{len(names) + 1}]")
    return names


def check_file(path: Path, file: CorpusFile) -> None:
    """Raise CorporaError, naming both sums, unless the file is the registered one, in any packing."""
    if fault := _fault(path, file, str(path)):
        raise CorporaError(fault)


def put_file(target: Path, file: CorpusFile, source: str, write: Callable[[Path], object]) -> None:
    """Let `write` make a file of a data set; raises CorporaError and leaves nothing unless it is the registered one."""
    target.parent.mkdir(parents=True, exist_ok=True)
    unchecked = target.with_name(target.name + ".part")
    write(unchecked)
    if fault := _fault(unchecked, file, source):
        unchecked.unlink()
        raise CorporaError(fault)
    unchecked.replace(target)


def _fault(path: Path, file: CorpusFile, name: str) -> str:
    """Return what is wrong with a file that is called `name`; "" for the registered one."""
    found = sha256_of(path)
    if found == file.sha256 or (file.content_sha256 and _content_sha256(path) == file.content_sha256):
        return ""
    return f"{name}: damaged: its sha256 is {found}, that of {file.path} is {file.sha256}"


def sha256_of(path: Path) -> str:
    """Return the hexadecimal sha256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _content_sha256(path: Path) -> str:
    unpack = lzma.decompress if path.suffix == ".xz" else gzip.decompress
    try:
        return hashlib.sha256(unpack(path.read_bytes())).hexdigest()
    except (OSError, EOFError, ValueError, lzma.LZMAError):
        return ""


def state_of(corpus: Corpus, folder: Path) -> str:
    """Return "present", "absent", "incomplete: …" or "damaged: …", the last two with the names of the files."""
    missing = [file.path for file in corpus.files if not (folder / file.path).is_file()]
    if len(missing) == len(corpus.files):
        return "absent"
    there = [file for file in corpus.files if file.path not in missing]
    damaged = [file.path for file in there if _fault(folder / file.path, file, file.path)]
    if damaged:
        return f"damaged: {' '.join(damaged)}"
    return f"incomplete: no {' '.join(missing)}" if missing else "present"


def import_corpus(corpus: Corpus, source: Path, folder: Path) -> int:
    """Copy the files of a data set from source/NAME/… into the data folder; return how many were copied.

    Files that are there and right stay as they are. Raises CorporaError for a file that `source` lacks or that has
    another checksum; such a file is never left in the data folder.
    """
    num_copied = 0
    for file in corpus.files:
        target, origin = folder / file.path, source / file.path
        if target.is_file() and not _fault(target, file, file.path):
            continue
        if not origin.is_file():
            raise CorporaError(f"{origin} is not there: {corpus.name} cannot be imported from {source}")
        put_file(target, file, str(origin), partial(shutil.copyfile, origin))
        num_copied += 1
    return num_copied
