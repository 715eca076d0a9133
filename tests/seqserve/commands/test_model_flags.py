"""Which model a command opens: by name, in one folder or several, by default."""

import argparse
import shutil
from pathlib import Path

import pytest

from seqserve.commands.model_flags import add_model_flags, number_up_to, open_chosen
from seqserve.errors import BundleError, SeqserveError
from seqserve.graph import provider_name
from seqserve.language.language_model import LanguageModel
from seqserve.locations import environment_folders
from seqserve.tagger.tagger import Tagger
from tests.service.conftest import BUNDLES


def given(*flags: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_model_flags(parser)
    return parser.parse_args(flags)


@pytest.mark.parametrize(
    ("flags", "name"),
    [
        (["--models", str(BUNDLES)], "tiny-char-lm"),
        (["--models", str(BUNDLES), "--model", "tiny-lm"], "tiny-lm"),
        (["--models", str(BUNDLES / "tiny-ner" / "1"), "--models", str(BUNDLES / "tiny-lm" / "1")], "tiny-lm"),
    ],
    ids=["first by name", "named", "second folder"],
)
def test_the_model_is_found(flags: list[str], name: str) -> None:
    assert open_chosen(given(*flags), LanguageModel).manifest.name == name


def test_the_shipped_model_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seqserve.defaults.SHIPPED", {"language-model": "tiny-lm"})
    assert open_chosen(given("--models", str(BUNDLES)), LanguageModel).manifest.name == "tiny-lm"


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--model", "tiny-lm"], f"{BUNDLES / 'tiny-lm' / '1'}: is a language model, not a tagger"),
        (["--model", "none"], "There is no model 'none'; there are: "),
        (["--models", "/none"], "/none: cannot be read: No such file or directory"),
    ],
)
def test_a_model_that_is_not_there_is_named(flags: list[str], message: str) -> None:
    with pytest.raises(SeqserveError) as caught:
        open_chosen(given("--models", str(BUNDLES), *flags), Tagger)
    assert str(caught.value).startswith(message)


def test_no_model_of_a_kind_is_said_with_the_word_for_it() -> None:
    folder = BUNDLES / "tiny-lm" / "1"
    with pytest.raises(BundleError, match=f"there is no tagger in {folder}$"):
        open_chosen(given("--models", str(folder)), Tagger)


def test_a_folder_that_is_passed_over_is_named(tmp_path: Path) -> None:
    shutil.copytree(BUNDLES / "tiny-lm", tmp_path / "tiny-lm")
    shutil.copytree(BUNDLES / "tiny-ner" / "1", tmp_path / "tiny-ner" / "12")
    with pytest.raises(BundleError, match=r"there is no tagger in .*; .*tiny-ner/12 is passed over: its manifest"):
        open_chosen(given("--models", str(tmp_path)), Tagger)


def test_folders_and_provider_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEQSERVE_MODELS", f"/a:{Path('b')}:")
    monkeypatch.setenv("SEQSERVE_PROVIDER", "auto")
    assert environment_folders() == [Path("/a"), Path("b")]
    assert given().provider == "auto"


def test_auto_falls_back_to_the_cpu(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        provider_name("cuda")
    except BundleError:
        assert open_chosen(given("--models", str(BUNDLES), "--provider", "auto"), Tagger)
        assert capsys.readouterr().err.startswith("seqserve: not on cuda: ")


@pytest.mark.parametrize("text", ["0", "17", "-1", "1.0", "many", ""])
def test_a_number_has_limits(text: str) -> None:
    assert number_up_to(16)("16") == 16
    with pytest.raises(argparse.ArgumentTypeError, match="must lie in 1 to 16"):
        number_up_to(16)(text)
