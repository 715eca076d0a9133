"""The manifest of a language model: read by its task, refused where it does not fit."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from seqserve.errors import BundleError
from seqserve.language.manifest import LanguageModelManifest
from seqserve.manifest import read_manifest, write_manifest
from seqserve.tagger.manifest import TaggerManifest
from tests.seqserve.tiny_bundle import TINY
from tests.toy_language_model import ToyLanguageModel

MANIFEST = ToyLanguageModel().manifest


def test_the_field_task_says_which_manifest_it_is(tmp_path: Path) -> None:
    write_manifest(tmp_path, MANIFEST)
    assert msgspec.json.decode((tmp_path / "manifest.json").read_bytes())["task"] == "language-model"
    assert read_manifest(tmp_path) == MANIFEST
    assert isinstance(read_manifest(tmp_path), LanguageModelManifest)
    tagger = read_manifest(TINY)
    assert isinstance(tagger, TaggerManifest)
    assert (MANIFEST.task, tagger.task) == ("language-model", "tag")


def test_all_files_are_named() -> None:
    names = [entry.file for entry in MANIFEST.files()]
    assert names == ["score.onnx", "step.onnx", "weights.safetensors", "tokens.txt", "golden.json"]


def architecture(**changes: Any) -> Callable[[dict[str, Any]], None]:
    return lambda manifest: manifest["architecture"].update(changes)


WRONG = {
    "tagger's task": (lambda m: m.update(task="tag"), "Object contains unknown field|missing required field"),
    "no task": (lambda m: m.pop("task"), "missing required field `task`"),
    "cell": (architecture(cell="gpt"), r"Invalid enum value 'gpt' - at `\$\.architecture\.cell`"),
    "state": (architecture(state_size=0), r"`\$\.architecture\.state_size`"),
    "cutoffs of a full softmax": (architecture(cutoffs=[5]), "cutoffs must ascend and be there only when"),
    "adaptive without cutoffs": (architecture(softmax="adaptive"), "cutoffs must ascend and be there only when"),
    "falling cutoffs": (architecture(softmax="adaptive", cutoffs=[5, 3]), "cutoffs must ascend"),
    "tokenisation": (lambda m: m["tokenization"].update(name="bpe"), r"'bpe' - at `\$\.tokenization\.name`"),
    "ends_sentences": (lambda m: m.pop("ends_sentences"), "missing required field `ends_sentences`"),
    "unknown field": (lambda m: m.update(extra=1), "unknown field `extra`"),
    "path": (lambda m: m["graphs"]["step"].update(file="../step.onnx"), r"`\$\.graphs\.step\.file`"),
}


@pytest.mark.parametrize(("change", "reason"), WRONG.values(), ids=WRONG)
def test_what_does_not_fit_is_refused_in_one_sentence(
    tmp_path: Path, change: Callable[[dict[str, Any]], object], reason: str
) -> None:
    content = msgspec.json.decode(msgspec.json.encode(MANIFEST))
    change(content)
    (tmp_path / "manifest.json").write_bytes(msgspec.json.encode(content))
    with pytest.raises(BundleError, match=rf"\A\S*manifest\.json: [^\n]*{reason}[^\n]*\Z"):
        read_manifest(tmp_path)


def test_an_adaptive_softmax_has_ascending_cutoffs() -> None:
    changed = msgspec.structs.replace(MANIFEST.architecture, softmax="adaptive", cutoffs=[2, 4])
    assert changed.cutoffs == [2, 4]
