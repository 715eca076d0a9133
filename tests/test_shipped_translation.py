"""The translator that the repository ships, as a user gets it."""

from pathlib import Path

import pytest

from seqserve.loading import load_bundle
from seqserve.transducer.beam import Search
from seqserve.transducer.model import TransducerBundle, TransduceRow

MODEL = Path(__file__).parent.parent / "models" / "translate-en-fr" / "1"
MAX_BYTES = 20_000_000

SENTENCES = {
    "Where is the nearest pharmacy?": "Où se trouve la pharmacie la plus proche ?",
    "What time does the museum open?": "À quelle heure le musée est-il ouvert ?",
    "I don’t think that it will rain tomorrow.": "Je ne pense pas qu'il pleuvra demain.",
    "I am happy.": "Je suis heureux.",
    "Where is Tom?": "Où est Tom ?",
}


@pytest.fixture(scope="module")
def translator() -> TransducerBundle:
    bundle = load_bundle(MODEL)
    assert isinstance(bundle, TransducerBundle)
    return bundle


def test_it_is_small_enough() -> None:
    assert sum(path.stat().st_size for path in MODEL.iterdir()) < MAX_BYTES


@pytest.mark.parametrize("text", SENTENCES)
def test_everyday_sentences(translator: TransducerBundle, text: str) -> None:
    (found,) = translator.run([TransduceRow(translator.source_ids(text), Search(beams=5, max_tokens=40))])
    assert translator.text_of(found.ids) == SENTENCES[text]
    assert found.finish_reason == "eos"


def test_sentences_together_are_sentences_alone(translator: TransducerBundle) -> None:
    rows = [
        TransduceRow(translator.source_ids(text), Search(beams=1 + number % 3, max_tokens=30))
        for number, text in enumerate([*SENTENCES, "zzqxv", "Could you please tell me where the train station is?"])
    ]
    assert translator.run(rows) == [translator.run([row])[0] for row in rows]
