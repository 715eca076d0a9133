import numpy as np

from seqserve.encoding import encode_sentences
from seqserve.training.reading.conll import Sentence
from seqserve.training.reading.dataset import Surfaces
from seqserve.training.taggers.augment import MARK_TOKENS, Augmenter
from seqserve.training.taggers.config import AugmentConfig
from seqserve.vocabulary.words import CharacterVocabulary, WordVocabulary

TAGS = ("O", "B-PER", "I-PER", "E-PER", "S-PER")
TAG_IDS = {tag: i for i, tag in enumerate(TAGS)}
ADA = Sentence(("Ada", "Lovelace", "wrote", "."), ("B-PER", "E-PER", "O", "O"))
BOB = Sentence(("bob", "ran"), ("S-PER", "O"))


def surfaces():
    words = WordVocabulary(b"Ada\nada\nbob\nwrote\n")
    return Surfaces(
        [*ADA.tokens, *BOB.tokens, *MARK_TOKENS],
        words,
        CharacterVocabulary.from_characters("AadoBb."),
        max_word_chars=5,
    )


def tokens_of(table, example):
    names = {surface: form for form, surface in table._ids.items()}
    return [names[surface] for surface in example.surfaces.tolist()]


def test_batch_equals_what_the_service_will_encode():
    table = surfaces()
    words, chars, lengths, tags = table.batch([table.example(ADA, TAG_IDS), table.example(BOB, TAG_IDS)])
    served = encode_sentences(
        [ADA.tokens, BOB.tokens],
        WordVocabulary(b"Ada\nada\nbob\nwrote\n"),
        CharacterVocabulary.from_characters("AadoBb."),
        max_word_chars=5,
    )
    assert np.array_equal(words.numpy(), served.words)
    assert np.array_equal(chars.numpy(), served.chars)
    assert np.array_equal(lengths.numpy(), served.lengths)
    assert tags.tolist() == [[1, 3, 0, 0], [4, 0, 0, 0]]


def draw(sentence, **options):
    table = surfaces()
    augmenter = Augmenter(AugmentConfig(**options), table, TAGS, scheme="BIOES")
    mentions = augmenter.mentions([table.example(BOB, TAG_IDS)])
    drawn = augmenter.draw(table.example(sentence, TAG_IDS), mentions, np.random.default_rng(0))
    return tokens_of(table, drawn), [TAGS[i] for i in drawn.tags]


def test_lower_and_upper_case():
    assert draw(ADA, lower=0.999999)[0] == ["ada", "lovelace", "wrote", "."]
    assert draw(ADA, upper=0.999999)[0] == ["ADA", "LOVELACE", "WROTE", "."]


def test_final_punctuation_goes_and_words_stay():
    assert draw(ADA, no_final_punctuation=0.999999) == (["Ada", "Lovelace", "wrote"], ["B-PER", "E-PER", "O"])
    assert draw(BOB, no_final_punctuation=0.999999)[0] == ["bob", "ran"]


def test_swapped_mentions_carry_their_own_tags():
    assert draw(ADA, swap_mentions=0.999999) == (["bob", "wrote", "."], ["S-PER", "O", "O"])


def test_nothing_changes_without_options():
    assert draw(ADA) == (list(ADA.tokens), list(ADA.tags))


def test_a_sentence_is_replaced_by_its_mention():
    assert draw(ADA, mention_alone=0.999999) == (["Ada", "Lovelace"], ["B-PER", "E-PER"])


def test_marks_stand_around_mentions_and_are_no_part_of_them():
    tokens, tags = draw(ADA, mark_mentions=0.999999)
    assert [token for token, tag in zip(tokens, tags, strict=True) if tag != "O"] == ["Ada", "Lovelace"]
    assert tokens[0] in MARK_TOKENS
    assert tokens[-2:] == ["wrote", "."]
    assert len(tokens) > len(ADA.tokens)


def test_own_tokens_are_chosen_at_random():
    table = surfaces()
    served, own = table.example(ADA, TAG_IDS), table.example(BOB, TAG_IDS)
    for share, expected in ((0.0, served), (0.999999, own)):
        augmenter = Augmenter(AugmentConfig(own_tokens=share), table, TAGS, scheme="BIOES")
        assert augmenter.choose(served, own, np.random.default_rng(0)) is expected
