"""MLServer's custom runtime for the tagger: imported by every one of its inference workers."""

import msgspec
from mlserver import MLModel
from mlserver.codecs import StringCodec
from mlserver.types import InferenceRequest, InferenceResponse

from benchmarks.peers.settings import given
from benchmarks.peers.tagging import tagging_of


class Tagger(MLModel):
    """One process with its own session of the graph."""

    async def load(self) -> bool:
        """Open the bundle."""
        self._tagging = tagging_of(given().bundle)
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        """Tag what MLServer has merged into one request: one answer, JSON, for each text."""
        found = self._tagging.entities(StringCodec.decode_input(payload.inputs[0]))
        answers = [msgspec.json.encode(each).decode() for each in found]
        return InferenceResponse(
            id=payload.id, model_name=self.name, outputs=[StringCodec.encode_output("entities", answers)]
        )
