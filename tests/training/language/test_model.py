import pytest
import torch

from seqserve.training.export.cells.table import CELLS
from seqserve.training.language.config import LanguageDropout, LanguageLoop, LanguageModelConfig
from seqserve.training.language.model import LanguageModel, activation_penalties
from seqserve.vocabulary.tokens import START_ID

TOKENS = torch.tensor([[START_ID, 3, 4, 5, 6, 7], [START_ID, 8, 9, 2, 3, 0]])


def model_of(**changes):
    torch.manual_seed(1)
    return LanguageModel(LanguageModelConfig(**{"embedding_dim": 6, "hidden_size": 10, **changes}), 12)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("num_layers", [1, 3])
def test_windows_that_carry_the_state_equal_one_long_window(cell, num_layers):
    model = model_of(cell=cell, num_layers=num_layers).eval()
    whole, _, _ = model(TOKENS, [])
    first, _, state = model(TOKENS[:, :4], [])
    second, _, _ = model(TOKENS[:, 4:], state)
    torch.testing.assert_close(torch.cat([first, second], dim=1), whole)


def test_the_first_input_is_zero_and_not_an_embedding():
    model = model_of().eval()
    before, _, _ = model(TOKENS[:, :1], [])
    with torch.no_grad():
        model.embedding.weight[0] += 1.0
        model.embedding.weight[-1] += 1.0
    after, _, _ = model(TOKENS[:, :1], [])
    assert torch.equal(before, after)
    assert torch.equal(before[0], before[1])


def test_a_tied_model_has_one_table_and_a_last_layer_of_its_size():
    names = dict(model_of(tied=True, num_layers=2).named_parameters())
    assert "softmax.weight" not in names
    assert names["layers.1.weight_hh_l0"].shape == (4 * 6, 6)
    projected = dict(model_of(tied=True, projection_dim=6).named_parameters())
    assert projected["layers.0.weight_hh_l0"].shape == (4 * 10, 10)
    assert projected["projection.weight"].shape == (6, 10)


def test_loss_counts_masked_positions_only():
    model = model_of().eval()
    hidden, _, _ = model(TOKENS, [])
    targets = TOKENS.clamp(min=0)
    mask = torch.ones_like(targets, dtype=torch.bool)
    mask[1, 3:] = False
    parts = model.loss(hidden[:1], targets[:1], mask[:1]) + model.loss(hidden[1:, :3], targets[1:, :3], mask[1:, :3])
    torch.testing.assert_close(model.loss(hidden, targets, mask), parts)


def test_dropout_acts_while_training_only():
    rates = LanguageDropout(input=0.5, hidden=0.5, output=0.5, recurrent=0.5, embedding=0.5)
    model = model_of(dropout=rates, num_layers=2)
    first, second = (model.train()(TOKENS, [])[0] for _ in range(2))
    assert not torch.equal(first, second)
    first, second = (model.eval()(TOKENS, [])[0] for _ in range(2))
    assert torch.equal(first, second)


def test_penalties_are_the_papers():
    hidden, raw = torch.tensor([[[1.0], [2.0]]]), torch.tensor([[[1.0], [4.0]]])
    mask = torch.tensor([[True, True]])
    loop = LanguageLoop(activation_penalty=2.0, slowness_penalty=0.5)
    assert float(activation_penalties(hidden, raw, mask, loop)) == pytest.approx(2 * (1 + 4) / 2 + 0.5 * 9)
    assert float(activation_penalties(hidden, raw, mask, LanguageLoop())) == 0.0
