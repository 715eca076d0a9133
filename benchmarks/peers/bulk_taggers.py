"""One pass of a tagger over given tokens, on one core: what benchmarks.peers.bulk_tagging runs in each environment.

    python -m benchmarks.peers.bulk_taggers KIND MODEL SENTENCES WARM_UP

SENTENCES and WARM_UP are JSON lists of lists of tokens. It reads the second first, so that caches hold what any text of
the kind would have left there, and prints a line of JSON on the first.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

Sentences = Sequence[Sequence[str]]
CountEntities = Callable[[Sentences], int]

_SPACY_BATCH = 256  # 64 to 1024 gave the same within the noise


def bundle_tagger(model: str) -> CountEntities:
    """The bundle: sorted by length, batches of at most 16 rows."""
    from seqserve.loading import load_bundle
    from seqserve.tagger.model import TaggerBundle

    bundle = load_bundle(model, TaggerBundle)
    return lambda sentences: sum(len(answer.entities()) for answer in bundle.tag(sentences))


def eager_tagger(model: str) -> CountEntities:
    """The bundle's torch module, batched as the bundle is."""
    import torch

    from benchmarks.peers.eager_tagger import eager_spans_of

    torch.set_num_threads(1)
    spans_of = eager_spans_of(model)
    return lambda sentences: sum(map(len, spans_of(sentences)))


def spacy_tagger(model: str) -> CountEntities:
    """spaCy's model with nothing but what finds names; `ner` has its own layers below it."""
    import spacy
    from spacy.tokens import Doc

    pipeline = spacy.load(model)
    for name in set(pipeline.pipe_names) - {"ner"}:
        pipeline.remove_pipe(name)

    def count(sentences: Sentences) -> int:
        documents = (Doc(pipeline.vocab, words=list(tokens)) for tokens in sentences)
        return sum(len(document.ents) for document in pipeline.pipe(documents, batch_size=_SPACY_BATCH))

    return count


def crfsuite_tagger(model: str) -> CountEntities:
    """CRFsuite with the features of benchmarks.ner_crfsuite, which are part of its work."""
    from benchmarks.ner_crfsuite import pycrfsuite, sentence_features
    from seqserve.tagger.tags import spans_from_tags

    tagger = pycrfsuite().Tagger()
    tagger.open(model)

    def count(sentences: Sentences) -> int:
        return sum(len(spans_from_tags(tagger.tag(sentence_features(tokens)))) for tokens in sentences)

    return count


KINDS: Mapping[str, Callable[[str], CountEntities]] = MappingProxyType(
    {"bundle": bundle_tagger, "torch-eager": eager_tagger, "spacy": spacy_tagger, "crfsuite": crfsuite_tagger}
)


def main(words: Sequence[str]) -> None:
    """Print the seconds of wall and core, and how many entities there were."""
    kind, model, *files = words
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    sentences, warm_up = (json.loads(Path(file).read_text(encoding="utf-8")) for file in files)
    count = KINDS[kind](model)
    count(warm_up)
    wall, core = time.perf_counter(), time.process_time()
    num_entities = count(sentences)
    wall_s, core_s = time.perf_counter() - wall, time.process_time() - core
    print(json.dumps({"wall_s": wall_s, "core_s": core_s, "num_entities": num_entities}))


if __name__ == "__main__":
    main(sys.argv[1:])
