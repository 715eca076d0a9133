"""What the pages of docs/ show is what happens."""

import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, Example, Reader, assert_alike, examples_of, pages

PROGRAMS = {"javascript": "node", "bash": "curl"}
"""What an example needs beside Python, where a machine may lack it; a command without curl needs nothing."""


def can_run(example: Example) -> bool:
    """Say whether an example is to be run, and this machine has its program."""
    program = PROGRAMS.get(example.language, "")
    needs = program == "node" or (program == "curl" and "curl " in example.code)
    return not example.note.startswith("not run: ") and (not needs or shutil.which(program) is not None)


@pytest.mark.timeout(600)  # starts servers and trains a model: twenty seconds, and more on a busy machine
@pytest.mark.parametrize("page", [pytest.param(path, id=path.stem) for path in pages()])
def test_examples_of_the_page(page: Path, tmp_path: Path) -> None:
    examples = examples_of(page.read_text("utf-8"))
    if any("seqserve train" in example.code for example in examples) and find_spec("torch") is None:
        pytest.skip("the page trains, and the train extra is not installed")
    reader = Reader(tmp_path)
    try:
        for example in examples:
            given = reader.run(example) if can_run(example) else example.answer
            if given is not None and example.answer is not None:
                assert_alike(example.answer, given, numbers_vary=example.note == "numbers vary")
    finally:
        reader.close()


def test_the_python_of_the_readme(tmp_path: Path) -> None:
    examples = [each for each in examples_of((ROOT / "README.md").read_text("utf-8")) if each.language == "python"]
    assert examples
    reader = Reader(tmp_path)
    for example in examples:
        assert reader.run(example)


def test_blocks_and_answers_are_read() -> None:
    page = "```bash\nls\n```\n\n```text\na\n```\n\nText.\n\n```text\nb\n```\n<!-- not run: no -->\n```python\nx\n```\n"
    first, second = examples_of(page)
    assert (first.language, first.code, first.answer, first.note) == ("bash", "ls\n", "a\n", "")
    assert (second.language, second.answer, second.note) == ("python", None, "not run: no")


def test_a_wrong_answer_is_seen() -> None:
    assert_alike('{"score":0.123456}', '{"score": 0.123457}\n')
    with pytest.raises(AssertionError, match=r"0\.5 is 0\.6 now"):
        assert_alike("0.5", "0.6")
    with pytest.raises(AssertionError, match="the page shows"):
        assert_alike("a 0.5", "b 0.5", numbers_vary=True)
    assert_alike("0.5", "0.6", numbers_vary=True)
