"""What a classifier reads before it learns."""

from seqserve.training.classifiers.task import ClassifierTask
from tests.training.tiny_classifier import tiny_classifier_config


def test_texts_that_are_left_out_or_repeat_others_are_counted(tmp_path):
    (tmp_path / "train.tsv").write_text("is it\tq\nit is\ts\nis it\tq\nno\tx\n")
    (tmp_path / "dev.tsv").write_text("it is\ts\nwhy\tq\n")
    names = {"q": "question", "s": "statement"}
    files = {part: [{"file": str(tmp_path / f"{part}.tsv"), "map": names}] for part in ("train", "dev")}
    assert ClassifierTask(tiny_classifier_config(data=files)).notes == [
        "texts left out, as a file's map does not name their labels: x (1 times)",
        "training files: 1 of 3 texts repeat another one",
        "dev.tsv: 1 of 2 texts are in the training files too",
    ]
