"""Files of a run that somebody else wrote: one sentence that names the file, and no code of theirs is run."""

import errno
import os
import pickle

import pytest
import torch

from seqserve.training.__main__ import main
from seqserve.training.checkpoints import RunError, load_tensors, read_run_config
from seqserve.training.language.task import LanguageTraining
from seqserve.training.loop import Training
from seqserve.training.runs import fit
from tests.training.tiny import tiny_config
from tests.training.tiny_language import tiny_language_config


class Payload:
    """What unpickles into a call that leaves a trace."""

    def __init__(self, trace):
        self.trace = str(trace)

    def __reduce__(self):
        return os.mkdir, (self.trace,)


def truncated(path):
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


DAMAGE = {
    "empty": lambda path: path.write_bytes(b""),
    "text": lambda path: path.write_text("no checkpoint at all\n"),
    "truncated": truncated,
    "a list": lambda path: torch.save([1, 2], path),
    "a pickle of a call": lambda path: path.write_bytes(pickle.dumps(Payload(path.with_name("trace")))),
    "a call in torch's file": lambda path: torch.save({"model": Payload(path.with_name("trace"))}, path),
    "another state": lambda path: torch.save({"position": {"day": 1}}, path),
    "weights that are none": lambda path: torch.save({"epoch": 1, "weights": 5, "tokens": [], "forms": []}, path),
}


@pytest.fixture(
    scope="module", params=[lambda folder: tiny_config(), tiny_language_config], ids=["tagger", "language model"]
)
def run(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    fit(request.param(folder), folder / "run")
    return folder / "run"


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
@pytest.mark.parametrize(("command", "name"), [("resume", "checkpoint.pt"), ("export", "model.pt")])
def test_a_damaged_file_ends_in_one_sentence(run, tmp_path, capsys, damage, command, name):
    intact = (run / name).read_bytes()
    try:
        damage(run / name)
        capsys.readouterr()
        assert main([command, str(run), *(["--to", str(tmp_path)] if command == "export" else [])]) == 1
    finally:
        (run / name).write_bytes(intact)
    said = capsys.readouterr().err
    assert said.startswith(f"seqserve: {run / name}: ")
    assert said.count("\n") == 1
    assert "weights_only" not in said  # torch's advice is to let the file run its code
    assert not (run / "trace").exists()


def test_a_fifo_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "model.pt")
    with pytest.raises(RunError, match=r"model\.pt: is not a regular file"):
        load_tensors(tmp_path / "model.pt")


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[" * 100_000], ids=["empty", "half", "not UTF-8", "deep"])
def test_a_configuration_that_is_no_json_is_refused(tmp_path, content):
    (tmp_path / "config.json").write_bytes(content)
    with pytest.raises(RunError, match=r"\A\S*config\.json: is not JSON: [^\n]+\Z"):
        read_run_config(tmp_path)


def test_a_configuration_that_is_no_table_is_refused(tmp_path, capsys):
    (tmp_path / "config.json").write_bytes(b"[]")
    assert main(["resume", str(tmp_path)]) == 1
    assert "a configuration is a table, not list" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (MemoryError(), "there is not enough memory"),
        (
            RuntimeError("DefaultCPUAllocator: can't allocate memory: 9 bytes"),
            "not enough memory",
        ),
        (
            RuntimeError("Found no NVIDIA driver\nException raised from init"),
            r"stopped: Found no NVIDIA driver\Z",
        ),
        (OSError(errno.ENOSPC, "No space left on device", "checkpoint.pt"), r"checkpoint\.pt: No space left on device"),
    ],
    ids=["memory", "torch's memory", "torch", "disk"],
)
@pytest.mark.parametrize("make", [lambda folder: tiny_config(), tiny_language_config], ids=["tagger", "language model"])
def test_what_torch_or_the_machine_refuses_is_one_sentence(tmp_path, monkeypatch, make, error, message):
    config = make(tmp_path)

    def refuse(self, *arguments):
        raise error

    monkeypatch.setattr(Training, "_step", refuse)
    monkeypatch.setattr(LanguageTraining, "_step", refuse)
    with pytest.raises(RunError, match=message) as raised:
        fit(config, tmp_path / "run")
    assert "\n" not in str(raised.value)


def test_a_run_folder_that_is_a_file_is_named(tmp_path):
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(RunError, match=r"file/run: Not a directory"):
        fit(tiny_config(), file / "run")
    with pytest.raises(RunError, match=r"file: there is no config\.json in it; not a run folder"):
        read_run_config(file)


def test_a_comparison_of_gradients_is_no_run(tmp_path):
    (tmp_path / "config.json").write_text('{"task": "gradients", "name": "cells"}')
    with pytest.raises(RunError, match=r"config\.json: is not the configuration of a training"):
        read_run_config(tmp_path)
