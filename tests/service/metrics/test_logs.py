"""Logs of a process: where lines go, what a closed or stalled output costs, and what comes out at the end."""

import json
import os
import subprocess
import sys
from pathlib import Path

START = """
import logging, os, sys
from seqserve.service.metrics import logs
logger = logs.set_up_logs("info")
line = logs.AccessLine(
    time=logs.now(), request_id="r", method="GET", route="/healthz", status=200, total_ms=1.0
)
dropped = {"access": 0, "error": 0}
def count(log, num_lines):
    dropped[log] += num_lines
logs.report_drops(count)
"""


def run(script: str, *, shell: str = "", stderr: int = subprocess.PIPE) -> subprocess.CompletedProcess[str]:
    """Run a script that has set up its logs; `shell` is a redirection."""
    command = ["sh", "-c", f'exec "$@" {shell}', "sh", sys.executable, "-c", START + script]
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=stderr, text=True, timeout=60, check=False)


def test_sentences_go_to_standard_error_and_requests_to_standard_output() -> None:
    done = run('logger.warning("a sentence"); logger.debug("too low"); logs.write_access_line(line); logs.flush()')
    assert json.loads(done.stdout)["route"] == "/healthz"
    assert done.stderr.endswith("[WARNING] a sentence\n")
    assert "too low" not in done.stderr


def test_lines_come_out_before_an_exit_that_calls_nothing_else() -> None:
    done = run('logger.critical("the end"); logs.write_access_line(line); logging.shutdown(); os._exit(70)')
    assert done.returncode == 70
    assert "the end" in done.stderr
    assert "/healthz" in done.stdout


def test_lines_come_out_at_an_ordinary_exit() -> None:
    done = run('logger.critical("the end"); print("printed", file=sys.stderr); sys.exit(3)')
    assert done.returncode == 3
    assert done.stderr.endswith("the end\nprinted\n")


def test_an_uncaught_error_is_printed() -> None:
    done = run('raise ValueError("unexpected")')
    assert done.returncode == 1
    assert done.stderr.endswith("ValueError: unexpected\n")


def test_text_that_is_not_unicode_is_escaped() -> None:
    done = run(r'logger.warning("caf\udce9"); print("\udce9", file=sys.stderr)')
    assert done.stderr.endswith("caf\\udce9\n\\udce9\n")


def test_a_full_disk_costs_lines_and_they_are_counted() -> None:
    done = run(
        'logs.write_access_line(line); logger.info("x"); logs.flush(); os._exit(dropped["access"] + dropped["error"])',
        shell=">/dev/full 2>/dev/full",
    )
    assert done.returncode == 2


def test_nothing_is_written_into_a_file_that_got_the_number_of_a_closed_output(tmp_path: Path) -> None:
    file = tmp_path / "other"
    done = run(
        f"""
other = [os.open({str(file)!r}, os.O_WRONLY | os.O_CREAT) for _ in range(3)]
assert min(other) > 2
logs.write_access_line(line); logger.info("x"); print("y"); print("z", file=sys.stderr); os.write(2, b"c++")
logs.flush()
os._exit(dropped["access"] + 10 * dropped["error"])
""",
        shell="<&- >&- 2>&-",
    )
    assert done.returncode == 21
    assert file.read_bytes() == b""


def test_a_standard_error_that_nobody_reads_does_not_hold_the_process() -> None:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    try:
        while True:
            os.write(writer, b"x" * 1_000)
    except BlockingIOError:
        os.set_blocking(writer, True)
    try:
        done = run(
            'for _ in range(5000): logger.critical("x" * 1000)\n'
            'print("y", file=sys.stderr, flush=True)\n'
            "logging.shutdown(); os._exit(70 if dropped['error'] > 3000 else 71)",
            stderr=writer,
        )
    finally:
        os.close(reader)
        os.close(writer)
    assert done.returncode == 70


def test_what_threads_do_is_described() -> None:
    done = run('def here(): logger.info("%s", logs.describe_threads())\nhere()')
    assert "Thread " in done.stderr
    assert "in here" in done.stderr
