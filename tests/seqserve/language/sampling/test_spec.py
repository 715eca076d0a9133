"""Random numbers of samples."""

import numpy as np

from seqserve.language.sampling.spec import uniforms


def test_streams_of_numbers_differ_by_seed_and_index_and_stay_below_one() -> None:
    def first(seed: int, index: int) -> list[float]:
        numbers = uniforms(seed, index)
        return [next(numbers) for _ in range(1000)]

    all_first = [first(seed, index) for seed in (0, 1, 2**64 - 1) for index in (0, 1, 63)]
    assert len({tuple(numbers) for numbers in all_first}) == len(all_first)
    assert all(0 <= number < 1 and np.float32(number) == number for numbers in all_first for number in numbers)
    generator = np.random.Generator(np.random.Philox(key=5 + 3 * 2**64))
    assert first(5, 3) == [float(generator.random(dtype=np.float32)) for _ in range(1000)]
