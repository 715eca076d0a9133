"""Bundles checked by a process of its own: what is heard of it, and that it is gone afterwards."""

import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.faults.models_folder import add_version, flip_a_byte, make_models_folder
from seqserve.service.server import checking
from seqserve.service.server.checking import CheckError, ModelCheck
from tests.conftest import children
from tests.service.conftest import BUNDLES


@pytest.fixture
def models(tmp_path: Path) -> Path:
    return make_models_folder(tmp_path / "models", BUNDLES, ["tiny-ner"])


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that is run in place of the module that checks."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(checking, "MODULE", "stand_in_check")
    return tmp_path / "stand_in_check.py"


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    logger = logging.getLogger("seqserve")
    logger.addHandler(caplog.handler)
    yield caplog
    logger.removeHandler(caplog.handler)


def start(models: Path) -> ModelCheck:
    return ModelCheck([models], provider="cpu")


def test_sound_bundles_are_reported(models: Path) -> None:
    with start(models) as check:
        (report,) = check.wait()
    assert (report.path, report.name, report.version, report.task) == (
        models / "tiny-ner" / "1",
        "tiny-ner",
        "1",
        "tag",
    )


def test_a_folder_whose_name_is_not_utf_8_is_told_with_escapes(models: Path) -> None:
    moved = models.rename(models.with_name(os.fsdecode(b"models-\xff")))
    add_version(moved, "tiny-ner", "2", spoil=flip_a_byte)
    with (
        start(moved) as check,
        pytest.raises(CheckError, match=r"models-\\udcff/tiny-ner/2/weights.safetensors: wrong"),
    ):
        check.wait()


def test_known_bundles_cross_the_border(models: Path, stand_in: Path) -> None:
    checking.MODULE = "seqserve.service.server.check_models"
    with start(models) as check:
        known = check.wait()
    stand_in.write_text(
        "from seqserve.service.engine import checks\nfrom seqserve.service.server.check_models import main\n"
        "checks.open_bundle = None\nraise SystemExit(main())\n"
    )
    checking.MODULE = "stand_in_check"
    with ModelCheck([models], provider="cpu", known=known) as check:
        assert check.wait() == known
    with start(models) as check, pytest.raises(CheckError, match="'NoneType' object is not callable"):
        check.wait()


def test_a_folder_that_is_passed_over_is_logged(models: Path, log: pytest.LogCaptureFixture) -> None:
    copy = make_models_folder(models.parent / "more", BUNDLES, ["tiny-ner"]) / "tiny-ner" / "1"
    copy.rename(models / "tiny-ner" / "1.bak")
    with start(models) as check:
        assert [report.version for report in check.wait()] == ["1"]
    expected = f"{models}/tiny-ner/1.bak is not served: its manifest has the version '1' instead of '1.bak'"
    assert set(log.messages) == {expected}


def test_a_provider_that_is_not_there_is_told(models: Path, stand_in: Path) -> None:
    stand_in.write_text(
        "import onnxruntime\nonnxruntime.get_available_providers = lambda: []\n"
        "from seqserve.service.server.check_models import main\nraise SystemExit(main())\n"
    )
    with start(models) as check, pytest.raises(CheckError, match="provider 'cpu' is not available"):
        check.wait()


def test_a_crash_is_told(models: Path, stand_in: Path) -> None:
    stand_in.write_text(f"import os\nos.kill(os.getpid(), {int(signal.SIGSEGV)})\n")
    with start(models) as check, pytest.raises(CheckError, match=f"checking {models} crashed the process that did it"):
        check.wait()


def test_reports_of_a_check_that_crashes_later_are_not_taken(models: Path, stand_in: Path) -> None:
    stand_in.write_text(
        "import os\nfrom seqserve.service.server import check_models\n"
        "class Finished:\n    def __init__(self):\n        os.abort()\n"
        "check_models.Finished = Finished\ncheck_models.main()\n"
    )
    with start(models) as check, pytest.raises(CheckError, match=f"checking {models}/tiny-ner/1 crashed"):
        check.wait()


def test_a_message_that_is_none_is_told(models: Path, stand_in: Path) -> None:
    stand_in.write_text("print('hello')\n")
    with start(models) as check, pytest.raises(CheckError, match="gave a message that cannot be read"):
        check.wait()


def test_what_a_library_prints_is_no_message(models: Path, stand_in: Path, capfd: pytest.CaptureFixture[str]) -> None:
    stand_in.write_text(
        "import os\nfrom seqserve.service.engine import checks\nfrom seqserve.service.server.check_models import main\n"
        "open_ = checks.open_bundle\ndef loud(*given):\n    os.write(1, b'hello\\n')\n    return open_(*given)\n"
        "checks.open_bundle = loud\nraise SystemExit(main())\n"
    )
    with start(models) as check:
        assert len(check.wait()) == 1
    assert capfd.readouterr().err == "hello\n"


def test_a_check_without_progress_is_ended(models: Path, stand_in: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "PROGRESS_LIMIT_S", 0.2)
    stand_in.write_text("import time\ntime.sleep(600)\n")
    check = start(models)
    while not check.is_over(0.1):
        pass
    assert not children()
    with pytest.raises(CheckError, match=f"checking {models} took longer than 0 s and was given up"):
        check.result()


def test_a_process_that_is_stopped_is_gone_with_all_it_has_started(models: Path, stand_in: Path) -> None:
    told = models / "told"
    stand_in.write_text(
        "import os, pathlib, time\nchild = os.fork()\n"
        f"if child:\n    pathlib.Path({str(told)!r}).write_text(str(child))\ntime.sleep(600)\n"
    )
    with start(models) as check:
        while not (told.exists() and told.read_text()):
            assert not check.is_over(0.01)
        grandchild = int(told.read_text())
    assert not children()
    while Path("/proc", str(grandchild)).exists() and "Z" not in Path("/proc", str(grandchild), "stat").read_text():
        time.sleep(0.01)


def test_it_inherits_no_listener_and_no_handler(models: Path, stand_in: Path) -> None:
    stand_in.write_text(
        "import os, signal, sys\n"
        "kinds = [os.readlink(f'/proc/self/fd/{number}') for number in os.listdir('/proc/self/fd') if number > '2'"
        " and os.path.exists(f'/proc/self/fd/{number}')]\n"
        "assert not any(kind.startswith('socket:') for kind in kinds), kinds\n"
        "assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL\nassert os.getsid(0) == os.getpid()\n"
        "assert os.readlink('/proc/self/fd/0') == '/dev/null'\n"
        'print(\'{"type":"finished"}\')\n'
    )
    before = signal.signal(signal.SIGTERM, lambda *given: None)
    try:
        with socket.create_server(("127.0.0.1", 0)), start(models) as check:
            assert check.wait() == []
    finally:
        signal.signal(signal.SIGTERM, before)


def test_a_forked_process_leaves_the_check_alone(models: Path, stand_in: Path) -> None:
    stand_in.write_text("import time\ntime.sleep(600)\n")
    with start(models) as check:
        child = os.fork()
        if child == 0:
            check.stop()
            os._exit(0)
        os.waitpid(child, 0)
        assert not check.is_over(0.2)


def test_it_ends_with_its_parent(models: Path, stand_in: Path, tmp_path: Path) -> None:
    stand_in.write_text(
        "import os, pathlib, time\nfrom seqserve.service.server import check_models\n"
        "def hang(*given, **options):\n"
        f"    pathlib.Path({str(tmp_path / 'told')!r}).write_text(str(os.getpid()))\n    time.sleep(600)\n"
        "check_models.check_bundles = hang\ncheck_models.main()\n"
    )
    told = tmp_path / "told"
    parent = os.fork()
    if parent == 0:
        start(models)
        while not (told.exists() and told.read_text()):
            time.sleep(0.01)
        os._exit(0)
    os.waitpid(parent, 0)
    found = Path("/proc", told.read_text(), "stat")
    while found.exists() and ") Z " not in found.read_text():
        time.sleep(0.01)


def test_an_interpreter_that_is_not_there_is_an_error(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(models / "python"))
    with pytest.raises(CheckError, match="cannot be started: No such file or directory"):
        start(models)
