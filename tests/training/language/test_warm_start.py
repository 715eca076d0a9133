import pytest
import torch

from seqserve.training.checkpoints import RunError, load_tensors
from seqserve.training.language.config import LanguageModelConfig
from seqserve.training.language.export import sources
from seqserve.training.language.model import LanguageModel
from seqserve.training.language.task import LanguageTraining
from seqserve.training.language.warm_start import start_from
from seqserve.training.runs import fit
from seqserve.vocabulary.tokens import TokenVocabulary
from tests.training.tiny_language import tiny_language_config

SIZES = {"embedding_dim": 8, "hidden_size": 12}


@pytest.fixture
def earlier(tmp_path):
    fit(tiny_language_config(tmp_path), tmp_path / "earlier")
    return tmp_path / "earlier"


def fresh(vocabulary, **changes):
    torch.manual_seed(7)
    return LanguageModel(LanguageModelConfig(**{**SIZES, **changes}), len(vocabulary))


def test_rows_go_by_token_and_the_rest_is_copied(earlier):
    saved = load_tensors(earlier / "model.pt")
    vocabulary = TokenVocabulary(["zebra", "cat", "the"])
    model, untouched = fresh(vocabulary), fresh(vocabulary)
    assert start_from(model, vocabulary, earlier) == 2
    place = saved["tokens"].index("cat") + 2
    assert torch.equal(model.embedding.weight[3], saved["weights"]["embedding.weight"][place])
    assert torch.equal(model.softmax.bias[3], saved["weights"]["softmax.bias"][place])
    assert torch.equal(model.embedding.weight[2], untouched.embedding.weight[2])
    assert torch.equal(model.embedding.weight[:2], saved["weights"]["embedding.weight"][:2])
    assert torch.equal(model.layers[0].weight_hh_l0, saved["weights"]["layers.0.weight_hh_l0"])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"hidden_size": 13}, r"layers.0.weight_ih_l0 is \(48, 8\) instead of \(52, 8\)"),
        ({"num_layers": 2}, "only one of the models has layers.1"),
        ({"embedding_dim": 9}, r"embedding.weight is \(\d+, 8\) instead of \(5, 9\)"),
    ],
)
def test_another_model_is_refused(earlier, changes, message):
    vocabulary = TokenVocabulary(["a", "b", "c"])
    with pytest.raises(RunError, match=message):
        start_from(fresh(vocabulary, **changes), vocabulary, earlier)


def test_a_run_that_starts_from_another_begins_where_that_ended(earlier, tmp_path):
    own = tiny_language_config(tmp_path, loop={"start_from": str(earlier)})
    started = LanguageTraining(own, tmp_path / "started")
    saved = load_tensors(earlier / "model.pt")["weights"]
    for name, weight in started.model.named_parameters():
        assert torch.equal(weight, saved[name]), name
    # The text is the same here, so its files are named once.
    assert sources(own)["training"] == [str(tmp_path / "text.txt")]
