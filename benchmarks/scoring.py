"""How fast a running service scores sentences in bulk, against the bare score graph in this process.

    python -m benchmarks.scoring models/lm-en/1 TEXT [--sentences] [--format FORMAT] [--clients 4] [--rounds 5]

Everything is measured in one run, in rounds that take each measurement once; medians over rounds. The bare graph gets
rows of ids, sorted and batched as `LanguageModelBundle.score` does; the service gets the sentences as text in requests
of 128, from clients that are threads of this process. One worker is compared with one process.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

from benchmarks import run
from benchmarks.running_service import RunningService, running_service
from seqserve.errors import SeqserveError
from seqserve.language.model import LanguageModelBundle
from seqserve.loading import load_bundle
from seqserve.training.language import evaluate as evaluate_language_model
from seqserve.training.reading.text import read_sequences
from seqserve.vocabulary.tokens import EOS_ID

_TEXTS_A_REQUEST = 128


def http_tokens_per_s(service: RunningService, texts: Sequence[str], *, num_clients: int) -> float:
    """Tokens/s over all clients, each of which sends the next request as soon as its last one is answered."""
    requests = [texts[start : start + _TEXTS_A_REQUEST] for start in range(0, len(texts), _TEXTS_A_REQUEST)]

    def num_tokens(request: Sequence[str]) -> int:
        return sum(result["num_tokens"] for result in service.post("/v1/score", {"text": request})["results"])

    with ThreadPoolExecutor(num_clients) as clients:
        started = time.perf_counter()
        total = sum(clients.map(num_tokens, requests))
        return total / (time.perf_counter() - started)


def bare_tokens_per_s(bundle: LanguageModelBundle, rows: Sequence[Sequence[int]]) -> float:
    """Tokens/s of the score graph on rows of ids."""
    started = time.perf_counter()
    bundle.score(rows)
    return sum(map(len, rows)) / (time.perf_counter() - started)


def report(medians: dict[str, float]) -> str:
    """Markdown: tokens/s, and what is left of the bare graph's."""
    bare = medians["bare graph, this process"]
    lines = ["| measured | tokens/s | of the bare graph |", "|---|---:|---:|"]
    lines += [f"| {name} | {speed:.0f} | {speed / bare:.0%} |" for name, speed in medians.items()]
    return "\n".join(lines)


def measure(bundle_folder: Path, texts: Sequence[str], *, num_clients: int, num_rounds: int) -> dict[str, float]:
    """Take every measurement in turn, `num_rounds` times after one that does not count; median tokens/s by name."""
    bundle = load_bundle(bundle_folder, LanguageModelBundle)
    ends = [EOS_ID] if bundle.manifest.ends_sentences else []
    rows = [[*bundle.encode(text).ids, *ends] for text in texts]
    with (
        running_service(bundle_folder, ["--workers", "1"]) as one,
        running_service(bundle_folder, ["--workers", "2"]) as two,
    ):
        takes: dict[str, Callable[[], float]] = {
            "bare graph, this process": lambda: bare_tokens_per_s(bundle, rows),
            "HTTP, one worker": lambda: http_tokens_per_s(one, texts, num_clients=num_clients),
            "HTTP, two workers": lambda: http_tokens_per_s(two, texts, num_clients=num_clients),
        }
        rounds = [{name: take() for name, take in takes.items()} for _ in range(num_rounds + 1)][1:]
    return {name: statistics.median(each[name] for each in rounds) for name in takes}


def main(words: Sequence[str] | None = None) -> int:
    """Print the table; raises SeqserveError when the text cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scoring", description=__doc__.split("\n")[0])
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="folder of a language model")
    parser.add_argument("text", type=Path, metavar="TEXT", help="the sentences to score")
    parser.add_argument("--num-texts", type=int, default=2000, metavar="N", help="how many of them (2000)")
    parser.add_argument("--clients", type=int, default=4, metavar="N", help="requests at a time (4)")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="rounds that count (5)")
    evaluate_language_model.add_text_arguments(parser)
    arguments = parser.parse_args(words)
    bundle = load_bundle(arguments.bundle, LanguageModelBundle)
    file, options = evaluate_language_model.text_options(bundle, arguments.text, arguments)
    separator = " " if options.level == "word" else ""
    sequences = islice(read_sequences(arguments.text, file, options), arguments.num_texts)
    texts = [separator.join(tokens) for tokens in sequences if tokens]
    if not texts:
        raise SeqserveError(f"{arguments.text}: it holds no sentences")
    medians = measure(arguments.bundle, texts, num_clients=arguments.clients, num_rounds=arguments.rounds)
    print(report(medians))
    return 0


if __name__ == "__main__":
    run(main)
