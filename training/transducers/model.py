"""An encoder-decoder: P(y<t> | y<1>, ..., y<t-1>, x) at every t (Sutskever et al. 2014; Cho et al. 2014)."""

from itertools import pairwise

import torch
from torch import Tensor, nn

from seqserve.training.layers.attention import GeneralAttention, mask_of
from seqserve.training.layers.cells import CELLS, build_cells
from seqserve.training.layers.dropout import LockedDropout
from seqserve.training.layers.encoder import Encoder, EncoderDropout
from seqserve.training.layers.recurrent import Parts, run_cell
from seqserve.training.layers.softmax import FullSoftmax, SampledSoftmax
from seqserve.training.transducers.batch import PairBatch
from seqserve.training.transducers.config import TransducerModelConfig
from seqserve.vocabulary.tokens import START_ID


class Transducer(nn.Module):
    """Source embedding and encoder; target embedding, recurrent layers, attention, softmax.

    The decoder's first state is tanh of a linear map of where the encoder's last layer ended, in both its directions.
    The softmax reads tanh(W [context; a<t>]), or tanh(W a<t>) without attention. It is not fed back (Luong et al. 2015
    without input feeding), so that training runs the decoder over a whole target at once.
    """

    def __init__(
        self,
        config: TransducerModelConfig,
        num_source: int,
        num_target: int,
        *,
        exact_tokens: int = 0,
        sampled_tokens: int = 0,
    ):
        """`num_source`, `num_target`: ids of each vocabulary, <EOS> and <UNK> included. Rest: see SampledSoftmax."""
        super().__init__()
        self.config = config
        self.precision = torch.float32
        rates, size = config.dropout, config.decoder.hidden_size
        self.source_embedding = nn.Embedding(num_source, config.embedding_dim)
        self.target_embedding = nn.Embedding(num_target, config.embedding_dim)
        for embedding in (self.source_embedding, self.target_embedding):
            nn.init.uniform_(embedding.weight, -0.1, 0.1)
        self.encoder = Encoder(
            config.cell,
            (config.embedding_dim, config.encoder.hidden_size),
            num_layers=config.encoder.num_layers,
            bidirectional=config.encoder.bidirectional,
            dropout=EncoderDropout(rates.input, rates.hidden, 0.0, rates.recurrent),
        )
        sizes = [config.embedding_dim] + [size] * config.decoder.num_layers
        self.layers = nn.ModuleList(build_cells(config.cell, pairwise(sizes)))
        self.num_parts = CELLS[config.cell].num_parts
        self.first_state = nn.Linear(self.encoder.size, config.decoder.num_layers * self.num_parts * size)
        self.attention = GeneralAttention(size, self.encoder.size) if config.attention == "general" else None
        readout_size = config.embedding_dim if config.tied else size
        self.readout = nn.Linear(size + (self.encoder.size if self.attention else 0), readout_size)
        table = self.target_embedding.weight if config.tied else None
        self.softmax = (
            SampledSoftmax(readout_size, num_target, tied_to=table, num_exact=exact_tokens, num_samples=sampled_tokens)
            if sampled_tokens
            else FullSoftmax(readout_size, num_target, tied_to=table)
        )
        between = [LockedDropout(rates.hidden) for _ in range(config.decoder.num_layers - 1)]
        self.dropouts = nn.ModuleList([LockedDropout(rates.input), *between, LockedDropout(rates.output)])

    def forward(self, batch: PairBatch) -> Tensor:
        """Return what the softmax reads at every target place, (B,T,P) float32."""
        with torch.autocast("cpu", torch.bfloat16, enabled=self.training and self.precision == torch.bfloat16):
            memory, state = self.encode(batch.source, batch.lengths)
            outputs, _ = self.decode(batch.previous, state, memory, batch.lengths)
        return outputs.float()

    def encode(self, source: Tensor, lengths: Tensor) -> tuple[Tensor, list[Parts]]:
        """Map ids (B,S) and lengths (B,) -> memory (B,S,M), undefined beyond a row's end, and first state."""
        memory = self.encoder(self.source_embedding(source), lengths)
        size = self.config.encoder.hidden_size
        last = (lengths - 1)[:, None, None].expand(-1, 1, size)
        ends = [memory[:, :, :size].gather(1, last).squeeze(1)]  # (B,H)
        if self.encoder.bidirectional:
            ends.append(memory[:, 0, size:])  # the backward cell ends at the first token
        first = torch.tanh(self.first_state(torch.cat(ends, dim=1)))
        parts = [part.contiguous()[None] for part in first.split(self.config.decoder.hidden_size, dim=1)]
        return memory, [tuple(parts[start : start + self.num_parts]) for start in range(0, len(parts), self.num_parts)]

    def decode(
        self, previous: Tensor, state: list[Parts], memory: Tensor, lengths: Tensor
    ) -> tuple[Tensor, list[Parts]]:
        """Read y<t-1> (B,T), START_ID where x<1> = 0 -> what the softmax reads (B,T,P), state after the last place."""
        is_token = (previous != START_ID).unsqueeze(2)
        outputs = self.target_embedding(previous.clamp(min=0)) * is_token
        new_state = []
        for dropout, layer, first in zip(self.dropouts, self.layers, state, strict=False):
            outputs, final = run_cell(layer, dropout(outputs), first, recurrent_dropout=self.config.dropout.recurrent)
            new_state.append(final)
        if self.attention is not None:
            contexts = self.attention(outputs, memory, mask_of(lengths, memory.shape[1]))
            outputs = torch.cat([contexts, outputs], dim=2)
        return self.dropouts[-1](torch.tanh(self.readout(outputs))), new_state

    def loss(self, batch: PairBatch) -> Tensor:
        """Return the sum of -log p(target) over real places in nats, <EOS> included, a scalar."""
        outputs = self(batch)
        return self.softmax.loss(outputs[batch.mask], batch.targets[batch.mask], dtype=self.precision)
