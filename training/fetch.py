"""Downloads of known data sets, each checked against its registered checksum."""

import gzip
import http.client
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

from tqdm import tqdm

from seqserve.training.corpora import COMMAND, CorporaError, Corpus, CorpusFile, check_file, put_file, state_of

_TIMEOUT_S = 30.0
_CHUNK_BYTES = 1 << 16
# Far above every file: a server that sends without end must not fill the disk.
_LIMIT_BYTES = 64 << 20


def fetch_corpus(corpus: Corpus, folder: Path) -> Iterator[str]:
    """Download the files of a data set that have an address; yield one sentence for each file that is still missing.

    A file whose checksum is wrong, or whose content differs after conversion, is never left in the data folder.
    """
    if state_of(corpus, folder) == "present":
        return
    for file in corpus.files:
        target = folder / file.path
        try:
            if target.is_file():
                check_file(target, file)
            elif file.url:
                _fetch_file(file, target)
            else:
                yield (
                    f"{target} has to be imported with `{COMMAND} --from FOLDER {corpus.name}`: "
                    "it cannot be downloaded byte for byte; "
                    f"it was made from {corpus.source} ({corpus.revision}), changes: {corpus.changes}"
                )
        except CorporaError as error:
            yield str(error)


def from_uner(data: bytes) -> bytes:
    """Return a UNER .iob2 file (number, token, tag, annotators) as token TAB tag with `# doc = ` lines.

    Left out are spans of other names (OTH) and stray B-O marks, as in the final release of that data set.
    """
    lines = []
    for line in data.decode("utf-8").split("\n"):
        if line.startswith("# newdoc id = "):
            lines.append("# doc = " + line.removeprefix("# newdoc id = "))
        elif "\t" in line:
            token, tag = line.split("\t")[1:3]
            lines.append(f"{token}\t{'O' if tag[2:] in ('OTH', 'O') else tag}")
        elif not line.startswith("#"):
            lines.append(line)
    return "\n".join(lines).encode("utf-8")


CONVERTERS: Mapping[str, Callable[[bytes], bytes]] = MappingProxyType({"uner": from_uner})


def _fetch_file(file: CorpusFile, target: Path) -> None:
    data = _download(file.url, name=file.path)
    if file.convert:
        try:
            data = CONVERTERS[file.convert](data)
        except ValueError as error:
            raise CorporaError(f"{file.url}: has another format than expected: {error}") from None
    if target.suffix == ".gz":
        data = gzip.compress(data, mtime=0)
    put_file(target, file, file.url, lambda path: path.write_bytes(data))


def _download(url: str, *, name: str) -> bytes:
    data = bytearray()
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT_S) as answer:
            size = int(answer.headers.get("Content-Length") or 0) or None
            with tqdm.wrapattr(answer, "read", total=size, desc=name, disable=None) as stream:
                while chunk := stream.read(_CHUNK_BYTES):
                    data += chunk
                    if len(data) > _LIMIT_BYTES:
                        raise CorporaError(f"{url}: sends more than {_LIMIT_BYTES} bytes")
    except urllib.error.HTTPError as error:
        error.close()
        raise CorporaError(f"{url}: answers {error.code} {error.reason}") from None
    except (OSError, http.client.HTTPException) as error:
        raise CorporaError(f"{url}: cannot be downloaded: {getattr(error, 'reason', None) or error}") from None
    return bytes(data)
