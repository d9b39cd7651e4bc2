import numpy as np

from iyu.worker.text.vocabulary import PAD, UNK, Vocabulary, pad_front


def test_the_most_frequent_surfaces_are_kept_in_order():
    texts = [["영화", "가", "좋"], ["영화", "가"], ["영화", "싫"]]
    assert Vocabulary.most_frequent(texts, 2).surfaces == ("영화", "가")


def test_known_surfaces_have_ids_and_others_are_unknown():
    vocabulary = Vocabulary(["영화", "가"])
    assert vocabulary.ids(["가", "없는말", "영화"]) == [3, UNK, 2]
    assert len(vocabulary) == 4


def test_a_vocabulary_survives_its_file():
    vocabulary = Vocabulary(["영화", "ㅋㅋ", "😀"])
    again = Vocabulary.from_json(vocabulary.to_json())
    assert again.surfaces == vocabulary.surfaces
    assert again.fingerprint == vocabulary.fingerprint
    assert Vocabulary(["ㅋㅋ", "영화", "😀"]).fingerprint != vocabulary.fingerprint


def test_padding_and_truncation_are_in_front():
    rows = pad_front([[5, 6], [1, 2, 3, 4], []], 3)
    np.testing.assert_array_equal(rows, [[PAD, 5, 6], [2, 3, 4], [PAD, PAD, PAD]])
    assert rows.dtype == np.int32
