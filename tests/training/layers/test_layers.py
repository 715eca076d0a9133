"""Each layer against an oracle: NumPy, torch's own packed LSTM, or its definition."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from seqserve.training.export.cells.table import CELLS
from seqserve.training.layers.characters import CharCNN, CharLSTM, reverse
from seqserve.training.layers.dropout import LockedDropout, WordDropout
from seqserve.training.layers.encoder import Encoder, EncoderDropout, EncoderLayer, FeedForward
from seqserve.training.layers.words import WordFeatures


def test_reverse_leaves_padding_in_place():
    inputs = torch.arange(8.0).view(2, 4, 1)
    assert reverse(inputs, torch.tensor([3, 4])).squeeze(2).tolist() == [[2, 1, 0, 3], [7, 6, 5, 4]]


def test_an_lstm_in_both_directions_equals_torch_on_packed_rows():
    torch.manual_seed(0)
    layer = EncoderLayer("lstm", 5, 4, bidirectional=True, recurrent_dropout=0.0)
    reference = nn.LSTM(5, 4, batch_first=True, bidirectional=True)
    with torch.no_grad():
        for name, weight in layer.forward_cell.named_parameters():
            getattr(reference, name).copy_(weight)
        for name, weight in layer.backward_cell.named_parameters():
            getattr(reference, f"{name}_reverse").copy_(weight)
    lengths = torch.tensor([2, 6, 1, 4])
    inputs = torch.randn(4, 6, 5)
    packed = pack_padded_sequence(inputs, lengths, batch_first=True, enforce_sorted=False)
    expected, _ = pad_packed_sequence(reference(packed)[0], batch_first=True)
    outputs = layer(inputs, lengths)
    for row, length in enumerate(lengths):
        torch.testing.assert_close(outputs[row, :length], expected[row, :length])


@pytest.mark.parametrize("bidirectional", [False, True], ids=["forward", "both"])
@pytest.mark.parametrize("cell", CELLS)
def test_padding_does_not_change_a_row(cell, bidirectional):
    torch.manual_seed(0)
    encoder = Encoder(cell, (5, 4), num_layers=2, bidirectional=bidirectional, dropout=EncoderDropout())
    lengths = torch.tensor([2, 6, 1, 4])
    inputs = torch.randn(4, 6, 5)
    outputs = encoder(inputs, lengths)
    assert outputs.shape == (4, 6, encoder.size)
    for row, length in enumerate(lengths):
        alone = encoder(inputs[row : row + 1, :length], lengths[row : row + 1])
        torch.testing.assert_close(outputs[row, :length], alone[0])


@pytest.mark.parametrize("cell", CELLS)
def test_the_backward_cell_reads_the_row_from_its_end(cell):
    torch.manual_seed(0)
    layer = EncoderLayer(cell, 5, 4, bidirectional=True, recurrent_dropout=0.0)
    inputs = torch.randn(1, 6, 5)
    backward = layer(inputs, torch.tensor([6]))[:, :, 4:]
    torch.testing.assert_close(backward, layer.backward_cell(inputs.flip(1))[0].flip(1))


def test_feed_forward_layers_are_relu_of_linear_maps():
    torch.manual_seed(0)
    layers = FeedForward(4, (3, 2))
    inputs = torch.randn(2, 5, 4)
    expected = inputs
    for layer in layers.layers:
        expected = torch.clamp(expected @ layer.weight.T + layer.bias, min=0)
    torch.testing.assert_close(layers(inputs), expected)
    assert torch.equal(FeedForward(4, ())(inputs), inputs)


def test_char_cnn_equals_numpy_convolution_and_ignores_padding():
    torch.manual_seed(0)
    cnn = CharCNN(9, embedding_dim=3, size=4, width=3)
    word = [4, 7, 2, 5]
    table = cnn.embedding.weight.detach().numpy()
    weight, bias = cnn.convolution.weight.detach().numpy(), cnn.convolution.bias.detach().numpy()
    padded = np.concatenate([np.zeros((1, 3)), table[word], np.zeros((1, 3))])
    positions = [np.einsum("ke,fek->f", padded[i : i + 3], weight) + bias for i in range(len(word))]
    alone = cnn(torch.tensor([[word]]))
    in_batch = cnn(torch.tensor([[[*word, 0, 0], [3, 0, 0, 0, 0, 0]]]))
    assert alone[0, 0].detach().numpy() == pytest.approx(np.max(positions, axis=0), abs=1e-6)
    torch.testing.assert_close(in_batch[0, 0], alone[0, 0])


def test_char_lstm_reads_each_word_alone():
    torch.manual_seed(0)
    lstm = CharLSTM(9, embedding_dim=3, size=4)
    words = [[4, 7, 2], [5], [3, 8]]
    padded = torch.tensor([[word + [0] * (3 - len(word)) for word in words]])
    together = lstm(padded)
    for i, word in enumerate(words):
        torch.testing.assert_close(together[0, i], lstm(torch.tensor([[word]]))[0, 0])
    embedded = lstm.embedding(torch.tensor([words[0]]))
    last = lstm.forward_cell(embedded)[1][0].flatten()
    torch.testing.assert_close(together[0, 0, :4], last)
    last = lstm.backward_cell(embedded.flip(1))[1][0].flatten()
    torch.testing.assert_close(together[0, 0, 4:], last)


def test_locked_dropout_draws_one_mask_per_row():
    torch.manual_seed(0)
    dropout = LockedDropout(0.5)
    outputs = dropout(torch.ones(3, 7, 40))
    assert torch.equal(outputs, outputs[:, :1].expand(-1, 7, -1))
    assert set(outputs.unique().tolist()) == {0.0, 2.0}
    assert not torch.equal(outputs[0], outputs[1])
    assert torch.equal(dropout.eval()(torch.ones(1, 2, 3)), torch.ones(1, 2, 3))


def test_word_dropout_drops_whole_tokens():
    torch.manual_seed(0)
    outputs = WordDropout(0.5)(torch.ones(4, 50, 3))
    assert torch.equal(outputs, outputs[:, :, :1].expand(-1, -1, 3))
    assert 0.3 < outputs.mean().item() < 0.7


@pytest.mark.parametrize("cell", CELLS)
def test_recurrent_dropout_acts_in_training_only(cell):
    torch.manual_seed(0)
    layer = EncoderLayer(cell, 3, 4, bidirectional=True, recurrent_dropout=0.5)
    inputs, lengths = torch.randn(2, 5, 3), torch.tensor([5, 5])
    assert not torch.equal(layer(inputs, lengths), layer(inputs, lengths))
    layer.eval()
    assert torch.equal(layer(inputs, lengths), layer(inputs, lengths))


def test_deep_encoder_has_one_layer_per_level():
    encoder = Encoder("lstm", (3, 4), num_layers=3, bidirectional=True, dropout=EncoderDropout())
    inputs, lengths = torch.randn(2, 5, 3), torch.tensor([5, 2])
    expected = inputs
    for layer in encoder.layers:
        expected = layer(expected, lengths)
    assert torch.equal(encoder(inputs, lengths), expected)
    assert expected.shape == (2, 5, 8)


def test_word_features_are_rows_of_their_tables():
    vectors = np.array([[0.0, 0.0], [1.0, 2.0]], np.float32)
    words = WordFeatures(
        [(np.array([0, 0, 1, 0]), vectors)],
        np.array([0, 1, 2, 1]),
        projection_dim=0,
        trained_dim=3,
        word_dropout=0.0,
        unknown_probability=0.0,
    )
    features = words(torch.tensor([[2, 3, 0]]))
    assert words.size == 5
    assert features[0, :, :2].tolist() == [[1.0, 2.0], [0.0, 0.0], [0.0, 0.0]]
    torch.testing.assert_close(features[0, :, 2:], words.trained.weight[[2, 1, 0]])
    assert not words.trained.weight[0].any()


def test_unknown_words_are_seen_in_training():
    words = WordFeatures(
        [], np.array([0, 1, 2]), projection_dim=0, trained_dim=3, word_dropout=0.0, unknown_probability=0.5
    )
    rows = words(torch.full((1, 200), 2))[0]
    unknown = (rows == words.trained.weight[1]).all(1)
    assert 40 < unknown.sum().item() < 160
    words.eval()
    assert (words(torch.full((1, 20), 2))[0] == words.trained.weight[2]).all()
