"""The agreement sentences: the right distance, the right number, and no other hint at the verb."""

import numpy as np
import pytest

from seqserve.training.gradients.agreement import NOUNS, PREPOSITIONS, PRESENT, WORDS, draw_sentences, write_pairs
from seqserve.training.language.minimal_pairs import read_pairs

FORMS = {form: number for forms in NOUNS for number, form in enumerate(forms)}
PRESENT_FORMS = {form: number for forms in PRESENT for number, form in enumerate(forms)}


def draw(distance, count=50, *, seed=1, part="train"):
    return draw_sentences(np.random.default_rng(seed), distance, count, part=part)


@pytest.mark.parametrize("distance", range(1, 51))
def test_the_subject_stands_so_many_words_before_the_verb(distance):
    for sentence in draw(distance, 20):
        lead_in, subject = sentence.words[: -distance - 1], sentence.words[-distance - 1]
        assert FORMS[subject] == sentence.number
        assert sentence.distance == distance
        assert lead_in[-1] == "the" or lead_in[-2] == "the", sentence
        before = [word for word in lead_in if word in FORMS]
        assert bool(before) == ("," in lead_in), "a noun before the subject belongs to a lead-in"


def test_nothing_but_the_subject_tells_the_number():
    sentences = draw(20, 1000)
    numbers = np.array([sentence.number for sentence in sentences])
    shares = np.array([np.mean([FORMS[word] for word in s.words[-20:] if word in FORMS] or [0.5]) for s in sentences])
    assert abs(numbers.mean() - 0.5) < 0.06
    assert abs(shares.mean() - 0.5) < 0.03
    assert abs(np.corrcoef(numbers, shares)[0, 1]) < 0.12


def test_most_long_sentences_hold_an_attractor():
    sentences = draw(20, 200)
    attracted = [any(FORMS.get(word, s.number) != s.number for word in s.words[-20:]) for s in sentences]
    assert np.mean(attracted) > 0.8


def test_verbs_of_relative_clauses_agree_with_their_own_noun():
    num_seen = num_far = 0
    for sentence in draw(30, 200):
        for place, word in enumerate(sentence.words):
            if word not in PRESENT_FORMS:
                continue
            start = max(i for i in range(place) if sentence.words[i] == "that")
            nouns = [each for each in sentence.words[start:place] if each in FORMS]
            assert FORMS[nouns[0]] == PRESENT_FORMS[word]
            num_seen += 1
            num_far += any(each in PREPOSITIONS for each in sentence.words[start:place])
    assert num_seen > num_far > 50


def test_training_and_testing_share_no_sentence():
    trained, tested = ({each.words for each in draw(1, 2000, part=part)} for part in ("train", "test"))
    assert trained
    assert tested
    assert not trained & tested


def test_a_seed_gives_the_same_sentences_again():
    assert draw(12) == draw(12)
    assert draw(12) != draw(12, seed=2)


def test_every_word_is_known_once():
    assert len(set(WORDS)) == len(WORDS)
    assert {word for distance in (1, 7, 50) for each in draw(distance, 300) for word in each.words} == set(WORDS)


def test_pairs_are_read_back_with_their_distance(tmp_path):
    sentences = draw(3, 5, part="test")
    write_pairs(tmp_path / "agreement.tsv", sentences)
    pairs = read_pairs(tmp_path / "agreement.tsv")
    for sentence, pair in zip(sentences, pairs, strict=True):
        verbs = ("was", "were")
        assert pair.good == " ".join((*sentence.words, verbs[sentence.number]))
        assert pair.bad == " ".join((*sentence.words, verbs[1 - sentence.number]))
        assert pair.paradigm == "agreement-3"
