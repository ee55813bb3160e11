import pytest

from bench.figures import percentile, ratio, spread


def test_a_percentile_is_a_time_that_was_measured():
    hundred = [float(n) for n in range(1, 101)]
    assert percentile(hundred, 0.5) == 50
    assert percentile(hundred, 0.99) == 99
    assert percentile(hundred, 1) == 100


def test_the_p99_of_few_values_is_the_largest():
    assert percentile([1.0, 2.0, 9.0], 0.99) == 9
    assert percentile([7.0], 0.5) == 7


@pytest.mark.parametrize("share", [0, 1.1])
def test_a_share_is_above_nothing_and_at_most_all(share):
    with pytest.raises(ValueError, match="share"):
        percentile([1.0], share)


def test_a_spread_sorts_what_it_is_given():
    found = spread([3.0, 1.0, 2.0])
    assert found is not None
    assert (found.count, found.p50, found.p99, found.max) == (3, 2, 3, 3)
    assert spread([]) is None


def test_there_is_no_ratio_to_nothing():
    assert ratio(3.0, 2.0) == 1.5
    assert ratio(3.0, 0.0) is None
    assert ratio(None, 2.0) is None
    assert ratio(3.0, None) is None
