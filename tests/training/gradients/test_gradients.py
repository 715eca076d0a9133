"""Gradients through time against products of Jacobians and finite differences, and the command as a user gives it."""

import json
import math
from functools import partial

import numpy as np
import pytest
import torch

from seqserve.training.__main__ import main
from seqserve.training.config import ConfigError
from seqserve.training.gradients.agreement import WORDS, draw_sentences
from seqserve.training.gradients.config import GradientModelConfig
from seqserve.training.gradients.model import (
    AgreementModel,
    accuracy,
    agreement_norms,
    to_batch,
    train,
    training_batches,
)
from seqserve.training.gradients.norms import norms_by_distance, state_gradients
from seqserve.training.layers.cells import build_cells
from seqserve.training.layers.recurrent import run_cell
from seqserve.training.load_config import config_from, config_table

CELLS = ["rnn", "rnn-relu", "gru-simplified", "gru", "gru-cudnn", "lstm", "lstm-peephole"]
SMALL = GradientModelConfig(embedding_dim=5, hidden_size=6)
TINY = {
    "task": "gradients",
    "name": "tiny",
    "cells": ["rnn", "lstm"],
    "model": {"embedding_dim": 8, "hidden_size": 12},
    "optimizer": {"name": "adam", "learning_rate": 0.02},
    "loop": {"longest_distance": 3, "train_sentences": 64, "test_sentences": 10, "batch_size": 16},
    "explosion": {"num_steps": 3},
}
TINY_TOML = """
task = "gradients"
name = "tiny"
cells = ["rnn", "lstm"]
model = { embedding_dim = 8, hidden_size = 12 }
optimizer = { name = "adam", learning_rate = 0.02 }
loop = { longest_distance = 3, train_sentences = 64, test_sentences = 10, batch_size = 16 }
explosion = { num_steps = 3 }
"""


def random_cell(name, *, input_size=3, hidden_size=4):
    torch.manual_seed(1)
    cell = build_cells(name, [(input_size, hidden_size)])[0].double()
    with torch.no_grad():
        for weight in cell.parameters():
            weight.normal_(0, 0.6)
    return cell


def loss_of_last(outputs, readout):
    return torch.log(1 + torch.exp(outputs[:, -1] @ readout)).sum()


def test_an_rnns_gradients_are_products_of_jacobians():
    """dL/da<t> = Waᵀ diag(1 - a<t+1>²) ... Waᵀ diag(1 - a<T>²) dL/da<T>."""
    cell, inputs, readout = random_cell("rnn"), torch.randn(2, 7, 3).double(), torch.randn(4).double()
    (gradients,) = state_gradients(cell, inputs, partial(loss_of_last, readout=readout))
    weights = {name: weight.detach().numpy() for name, weight in cell.named_parameters()}
    for row in range(2):
        hidden, states = np.zeros(4), []
        for token in inputs[row].numpy():
            given = weights["weight_ih_l0"] @ token + weights["bias_ih_l0"] + weights["bias_hh_l0"]
            hidden = np.tanh(given + weights["weight_hh_l0"] @ hidden)
            states.append(hidden)
        expected = readout.numpy() / (1 + math.exp(-hidden @ readout.numpy()))
        for place in range(6, -1, -1):
            np.testing.assert_allclose(gradients[row, place], expected, rtol=1e-10)
            expected = weights["weight_hh_l0"].T @ ((1 - states[place] ** 2) * expected)


@pytest.mark.parametrize("place", [0, 2, 4])
@pytest.mark.parametrize("name", CELLS)
def test_gradients_are_those_of_a_state_moved_by_hand(name, place):
    cell, inputs, readout = random_cell(name), torch.randn(1, 5, 3).double(), torch.randn(4).double()
    gradients = state_gradients(cell, inputs, partial(loss_of_last, readout=readout))
    _, state = run_cell(cell, inputs[:, : place + 1], None, recurrent_dropout=0.0)
    assert len(gradients) == len(state)

    def loss_from(state):
        outputs = state[0].transpose(0, 1)
        if place < 4:
            outputs, _ = run_cell(cell, inputs[:, place + 1 :], state, recurrent_dropout=0.0)
        return loss_of_last(outputs, readout).item()

    for part, gradient in enumerate(gradients):
        for unit in range(4):
            moved = []
            for by in (1e-6, -1e-6):
                parts = [each.detach().clone() for each in state]
                parts[part][0, 0, unit] += by
                moved.append(loss_from(tuple(parts)))
            assert gradient[0, place, unit].item() == pytest.approx((moved[0] - moved[1]) / 2e-6, abs=1e-7)


def test_norms_are_counted_back_from_each_rows_last_word():
    gradients = [torch.tensor([[[3.0], [1.0], [2.0], [0.0]], [[5.0], [6.0], [7.0], [8.0]]])]
    assert norms_by_distance(gradients, torch.tensor([2, 3]), 2).tolist() == [[2, 1, 3], [8, 7, 6]]
    both = [*gradients, torch.tensor([[[4.0], [0.0], [0.0], [0.0]], [[12.0], [0.0], [0.0], [0.0]]])]
    assert norms_by_distance(both, torch.tensor([2, 3]), 2)[0, 2] == 5


@pytest.mark.parametrize("cell", ["rnn", "lstm"])
def test_norms_do_not_depend_on_the_padding(cell):
    torch.manual_seed(1)
    model = AgreementModel(cell, SMALL).double()
    sentences = draw_sentences(np.random.default_rng(3), 4, 12, part="train")
    assert len({len(each.words) for each in sentences}) > 1
    together = agreement_norms(model, to_batch(sentences), 4)
    alone = [agreement_norms(model, to_batch([each]), 4) for each in sentences]
    for name, norms in together.items():
        torch.testing.assert_close(norms, torch.stack([each[name] for each in alone]).mean(dim=0))
    assert torch.equal(together["state"], together["hidden_state"]) == (cell == "rnn")


def test_the_norm_at_the_last_word_is_that_of_the_softmax_before_the_verb():
    """dL<T>/da<T> = Wᵀ (P - one-hot of the verb), the last word before it being T."""
    torch.manual_seed(1)
    model = AgreementModel("lstm", SMALL).double()
    batch = to_batch(draw_sentences(np.random.default_rng(3), 3, 1, part="train"))
    error = model(batch.token_ids[:, :-1])[0, -1].softmax(dim=0)
    error[batch.token_ids[0, -1]] -= 1
    norms = agreement_norms(model, batch, 3)["state"]
    assert norms[0].item() == pytest.approx((model.softmax.weight.T @ error).norm().item())


def test_a_loss_counts_words_once_verbs_by_weight_and_no_padding():
    model = AgreementModel("gru", SMALL)
    generator = np.random.default_rng(1)
    short, long = (draw_sentences(generator, distance, 1, part="train")[0] for distance in (2, 9))
    total = weight = 0.0
    for sentence in (short, long):
        token_ids = to_batch([sentence]).token_ids
        log_probs = model(token_ids[:, :-1]).log_softmax(dim=2)[0]
        losses = [-log_probs[place, token_id].item() for place, token_id in enumerate(token_ids[0, 1:])]
        total += sum(losses[:-1]) + 3 * losses[-1]
        weight += len(losses) + 2
    assert model.loss(to_batch([short, long]), verb_weight=3.0).item() == pytest.approx(total / weight, rel=1e-5)


@pytest.mark.parametrize(("favoured", "expected"), [(0, "was"), (1, "were"), (None, "neither")])
def test_accuracy_is_the_share_of_right_verbs_and_a_tie_is_none(favoured, expected):
    model = AgreementModel("rnn", SMALL)
    batch = to_batch(draw_sentences(np.random.default_rng(1), 5, 40, part="test"))
    with torch.no_grad():
        model.softmax.weight.zero_()
        model.softmax.bias.zero_()
        if favoured is not None:
            model.softmax.bias[len(WORDS) + favoured] = 1.0
    share = 0.0 if expected == "neither" else (batch.numbers == favoured).double().mean().item()
    assert accuracy(model, batch) == pytest.approx(share)


def test_a_gated_cell_learns_agreement_over_one_word():
    config = config_from(
        TINY
        | {
            "model": {"embedding_dim": 16, "hidden_size": 32},
            "loop": {"longest_distance": 1, "train_sentences": 6_400, "batch_size": 32},
        }
    )
    torch.manual_seed(1)
    model = AgreementModel("lstm", config.model)
    batch = to_batch(draw_sentences(np.random.default_rng(5), 1, 200, part="test"))
    assert accuracy(model, batch) < 0.7
    train(model, training_batches(config), config)
    assert accuracy(model, batch) > 0.95


def test_the_command_writes_numbers_and_pictures(tmp_path, capsys):
    config, folder = tmp_path / "tiny.toml", tmp_path / "out"
    config.write_text(TINY_TOML)
    assert main(["gradients", str(config), "--to", str(folder), "--seed", "4"]) == 0
    printed = capsys.readouterr().out
    assert all(f"{name}: " in printed for name in ("rnn", "lstm", "clipping value", "clipping norm"))
    report = json.loads((folder / "gradients.json").read_text())
    assert report["config"]["seed"] == 4
    assert list(report["cells"]) == ["rnn", "lstm"]
    for result in report["cells"].values():
        assert len(result["accuracy"]) == 3
        for when in ("initial", "trained"):
            assert all(len(norms) == 4 and min(norms) > 0 for norms in result["norms"][when].values())
            state = result["norms"][when]["state"]
            assert result["ratio"][when] == pytest.approx(state[3] / state[0])
    assert set(report["clipping"]) == {"none", "value", "norm"}
    assert len((folder / "agreement.tsv").read_text().splitlines()) == 30
    for name in ("gradients.png", "agreement.png"):
        assert (folder / name).read_bytes().startswith(b"\x89PNG")

    assert main(["gradients", str(config), "--to", str(folder)]) == 1
    assert "is there already" in capsys.readouterr().err


def test_each_command_takes_its_own_configurations(tmp_path, capsys):
    ours, other = tmp_path / "tiny.toml", tmp_path / "other.toml"
    ours.write_text(TINY_TOML)
    other.write_text(
        'name = "x"\nversion = "1"\ndescription = ""\nlicence = "MIT"\n'
        '[data]\ntrain = [{file = "x"}]\ndev = [{file = "x"}]\nlabels = ["X"]\n'
    )
    assert main(["fit", str(ours), "--run", str(tmp_path / "run")]) == 1
    assert "is for `seqserve train gradients`" in capsys.readouterr().err
    assert main(["gradients", str(other), "--to", str(tmp_path / "out")]) == 1
    assert 'is not a configuration with task = "gradients"' in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
    assert not (tmp_path / "out").exists()


def test_a_configuration_survives_json():
    config = config_from(TINY)
    assert config_from(json.loads(json.dumps(config_table(config)))) == config


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"cells": []}, "cells = [] must hold one or more"),
        ({"cells": ["rnn", "rnn"]}, "must hold one or more, each once"),
        ({"cells": ["transformer"]}, "cells[0] = 'transformer' is none of"),
        ({"loop": {"longest_distance": 0}}, "loop.longest_distance = 0 is below 1"),
        ({"loop": {"verb_weight": 0}}, "loop.verb_weight = 0.0 is not above 0"),
        ({"model": {"hidden_size": 0}}, "model.hidden_size = 0 is below 1"),
        ({"explosion": {"clip_norm": 0}}, "explosion.clip_norm = 0.0 is not above 0"),
        ({"optimizer": {"name": "nt-asgd"}}, "nt-asgd"),
        ({"optimizer": {"warmup": 1.0}}, "optimizer.warmup = 1.0 is not in [0, 1)"),
    ],
)
def test_a_wrong_value_is_named(change, message):
    with pytest.raises(ConfigError) as error:
        config_from(TINY | change)
    assert message in str(error.value)
