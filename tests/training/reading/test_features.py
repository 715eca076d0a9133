import numpy as np

from seqserve.training.config import CharactersConfig, WordsConfig
from seqserve.training.reading.features import build_features, normalise
from seqserve.training.reading.vectors import WordVectors
from seqserve.vocabulary.words import UNKNOWN_ID


def vectors(**words):
    return WordVectors(list(words), np.arange(len(words), dtype=np.int32), np.array(list(words.values()), np.float32))


def features_of(tokens, *sources, **options):
    return build_features(tokens, sources, WordsConfig(**{"min_count": 1, **options}), CharactersConfig(min_count=1))


def vector_of(features, form, table=0):
    rows, values = features.tables[table]
    return values[rows[features.word_vocabulary().lookup(form)]].tolist()


def test_every_source_answers_every_form_through_the_fall_backs():
    features = features_of(["Ada"], vectors(Ada=[1.0, 2.0]), vectors(ada=[3.0]))
    for form in ("Ada", "ada", "ADA"):
        assert vector_of(features, form, 0) == [1.0, 2.0]
        assert vector_of(features, form, 1) == [3.0]
    assert vector_of(features, "Bob", 0) == [0.0, 0.0]


def test_trained_rows_ignore_case_and_digits():
    features = features_of(["In", "1984", "1985", "rain"])
    row = {form: features.trained_rows[features.word_vocabulary().lookup(form)] for form in ("IN", "in", "2001", "sun")}
    assert row["IN"] == row["in"] > UNKNOWN_ID
    assert row["2001"] == features.trained_rows[features.word_vocabulary().lookup("0000")] > UNKNOWN_ID
    assert row["sun"] == UNKNOWN_ID


def test_padding_and_unknown_ids_have_no_vector():
    features = features_of(["a"], vectors(a=[5.0]))
    rows, values = features.tables[0]
    assert values[rows[0]].tolist() == values[rows[UNKNOWN_ID]].tolist() == [0.0]
    assert features.trained_rows[:2].tolist() == [0, UNKNOWN_ID]


def test_rare_words_and_handles_are_not_learned():
    features = features_of(["rain", "rain", "sun", "@ann", "@ann", "@", "@"], min_count=2)
    assert features.forms == ("@", "rain")


def test_forms_that_a_fall_back_answers_alike_are_left_out():
    rows = np.array([0, 0, 1, 0], np.int32)
    shared = WordVectors(["Rome", "rome", "Nice", "nice"], rows, np.array([[1.0], [2.0]], np.float32))
    features = features_of([], shared)
    assert features.forms == ("Nice", "nice", "rome")
    assert vector_of(features, "Rome") == [1.0]
    assert vector_of(features, "Nice") == [2.0]


def test_forms_are_sorted_by_their_bytes():
    forms = features_of(["b", "Ä", "a", "é", "𝔘"]).forms
    assert list(forms) == sorted(forms, key=str.encode)


def test_characters_of_other_cases_are_known():
    characters = features_of(["Ab"]).characters
    assert set(characters.characters) == set("AaBb")


def test_normalise():
    assert normalise("In-1984") == "in-0000"
