"""Sampling: the same sample whatever its neighbours, and prompts that are read once."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from seqserve.language.sampling.spec import SampleSpec
from seqserve.service.engine.sampling.decoder import QUANTUM_TOKENS, Decoder
from tests.service.decoding import FAR, NEVER_ENDS, Drawn, Watched, draw, drawn, drawn_by_hand, spec, submit
from tests.toy_language_model import ToyLanguageModel

PARAMETERS = {
    "plain": {},
    "prompt": {"prompt_ids": (2, 5, 1, 3)},
    "long prompt": {"prompt_ids": tuple(2 + number % 5 for number in range(300))},
    "greedy": {"temperature": 0.0, "banned_ids": NEVER_ENDS},
    "cold, top-k": {"temperature": 0.5, "top_k": 3, "banned_ids": NEVER_ENDS},
    "hot, top-p, min-p": {"temperature": 2.0, "top_p": 0.8, "min_p": 0.1},
    "repetition": {"repetition_penalty": 1.7, "prompt_ids": (4, 4, 2), "banned_ids": NEVER_ENDS},
    "min tokens": {"min_tokens": 20},
    "min tokens and <EOS> banned": {"min_tokens": 20, "banned_ids": NEVER_ENDS},
    "one token": {"max_tokens": 1},
}
MANY = [spec(index, **given) for index, given in enumerate(PARAMETERS.values())]  # type: ignore[arg-type]


@pytest.mark.parametrize("given", MANY, ids=PARAMETERS)
def test_a_sample_is_what_the_step_graph_alone_draws(model: Watched, given: SampleSpec) -> None:
    assert draw(Decoder(model), given) == [drawn_by_hand(ToyLanguageModel(), given)]


@pytest.mark.parametrize("max_slots", [1, 3, 64])
def test_samples_are_the_same_together_as_alone(model: Watched, max_slots: int) -> None:
    alone = [drawn_by_hand(ToyLanguageModel(), given) for given in MANY]
    assert draw(Decoder(model, max_slots=max_slots), *MANY) == alone
    assert max(len(batch.previous_ids) for batch in model.steps) <= max_slots


def test_many_clients_get_their_own_samples(model: Watched) -> None:
    decoder = Decoder(model, max_slots=7)

    def client(number: int) -> list[Drawn]:
        specs = [spec(index, seed=number, max_tokens=30 + number, prompt_ids=(2,) * number) for index in range(4)]
        handle = submit(decoder, *specs, streams=number % 2 == 0)
        while handle.streams and not handle.is_over:
            handle.wait_for_news(FAR)
        return drawn(handle.wait())

    with ThreadPoolExecutor(16) as pool:
        together = list(pool.map(client, range(16)))
    assert together == [client(number) for number in range(16)]


def test_a_sample_of_many_is_that_of_its_index_alone(model: Watched) -> None:
    decoder = Decoder(model)
    together = draw(decoder, *(spec(index) for index in range(8)))
    assert together == [draw(decoder, spec(index))[0] for index in range(8)]
    assert len({tuple(ids) for ids, _, _ in together}) > 1


def test_samples_with_one_prompt_share_its_reading(model: Watched) -> None:
    prompt = tuple(2 + number % 5 for number in range(150))
    draw(Decoder(model), *(spec(index, prompt_ids=prompt) for index in range(20)))
    assert [size for kind, size in model.runs if kind == "score"] == [64, 64, 22]


def test_short_prompts_of_one_moment_are_read_in_one_run(model: Watched) -> None:
    model.permits = threading.Semaphore(0)
    decoder = Decoder(model)
    first = submit(decoder, spec(max_tokens=2, banned_ids=NEVER_ENDS))
    assert model.entered.wait(FAR)
    others = [submit(decoder, spec(prompt_ids=(2, 3 + number), max_tokens=1)) for number in range(4)]
    model.permits.release(1000)
    for handle in (first, *others):
        handle.wait()
    assert [size for kind, size in model.runs if kind == "score"] == [8]


def test_a_sample_ends_where_it_is_told_to_stop(model: Watched) -> None:
    count = iter(range(100))
    ((ids, log_probs, reason),) = draw(Decoder(model), spec(stops=lambda _: next(count) == 4, banned_ids=NEVER_ENDS))
    assert (len(ids), len(log_probs), reason) == (5, 5, "stop")


def test_a_stream_gets_news_of_every_token(model: Watched) -> None:
    model.permits = threading.Semaphore(0)
    handle = submit(Decoder(model), spec(max_tokens=5, banned_ids=NEVER_ENDS), streams=True)
    for number in range(1, 6):
        model.permits.release()
        while len(handle.samples[0].log_probs) < number:
            handle.wait_for_news(FAR)
        assert len(handle.samples[0].log_probs) == number
    handle.wait()


def test_nothing_to_draw_is_over_at_once(model: Watched) -> None:
    assert submit(Decoder(model)).wait() == []


def test_times_are_those_of_waiting_and_of_running(model: Watched) -> None:
    handle = submit(Decoder(model), spec())
    handle.wait()
    assert handle.queue_s >= 0
    assert handle.compute_s > 0


def test_samples_that_gave_their_slots_go_on_where_they_were(model: Watched) -> None:
    specs = [spec(index, max_tokens=5 * QUANTUM_TOKENS, banned_ids=NEVER_ENDS) for index in range(7)]
    alone = [drawn_by_hand(ToyLanguageModel(), given) for given in specs]
    assert draw(Decoder(model, max_slots=3), *specs) == alone
