import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.data.split import counts_to_test, stratified_split
from explorer.inputs.random_streams import Purpose, random_stream

SIZES = st.lists(st.integers(2, 60), min_size=2, max_size=20)


@given(SIZES, st.integers(0, 2**32 - 1))
@settings(deadline=None)
def test_every_picture_is_in_one_part_and_every_class_in_both(sizes: list[int], seed: int) -> None:
    labels = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(sizes)), sizes))
    train, test = stratified_split(labels, seed)
    assert sorted([*train, *test]) == list(range(len(labels)))
    for part in (train, test):
        assert set(labels[part]) == set(range(len(sizes)))
    np.testing.assert_array_equal(
        np.bincount(labels[test], minlength=len(sizes)), counts_to_test(np.array(sizes))
    )


@given(SIZES)
@settings(deadline=None)
def test_a_fifth_is_to_test_on_and_shares_are_kept(sizes: list[int]) -> None:
    total = sum(sizes)
    counts = counts_to_test(np.array(sizes))
    wanted = max(-(-total // 5), len(sizes))
    assert counts.sum() == wanted
    assert (counts >= 1).all()
    assert (counts < sizes).all()
    shares = np.array(sizes) * wanted / total
    if shares.min() >= 1:  # then each is the share, rounded down or up
        assert (np.abs(counts - shares) < 1).all()


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([10, 10], [2, 2]),
        ([2, 2], [1, 1]),
        ([2, 2, 2], [1, 1, 1]),
        ([50, 30, 20], [10, 6, 4]),
        ([52, 31, 22], [11, 6, 4]),  # shares 10.4, 6.2, 4.4; the first largest remainder
        ([3, 97], [1, 19]),  # shares 0.6, 19.4
        ([2, 2, 2, 94], [1, 1, 1, 17]),  # shares 0.4, 0.4, 0.4, 18.8
        (
            [178, 182, 177, 183, 181, 182, 181, 179, 174, 180],
            [36, 37, 35, 37, 36, 36, 36, 36, 35, 36],  # the largest shares lost are 0.86 … 0.46
        ),
    ],
)
def test_the_counts_of_hand_computed_examples(sizes: list[int], expected: list[int]) -> None:
    assert counts_to_test(np.array(sizes)).tolist() == expected


def test_the_split_is_that_of_its_seed_and_stream() -> None:
    labels = np.repeat([0, 1], 10)
    order = random_stream(3, Purpose.SPLIT).permutation(20)
    test = [at for label in (0, 1) for at in [at for at in order if labels[at] == label][:2]]
    for _ in range(2):
        train_part, test_part = stratified_split(labels, 3)
        assert set(test_part) == set(test)
        assert train_part.tolist() == [at for at in order if at not in test]
    assert stratified_split(labels, 4)[1].tolist() != test_part.tolist()
