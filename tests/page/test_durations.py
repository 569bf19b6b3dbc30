from explorer.page.durations import BOUNDS, Durations


def test_each_duration_counts_up_to_every_bound_above_it() -> None:
    durations = Durations()
    for seconds in (0.0, BOUNDS[0], 0.5, 1e6):
        durations.add(seconds)
    counts, total = durations.totals()
    assert counts == [sum(each <= bound for each in (0.0, 0.01, 0.5, 1e6)) for bound in BOUNDS] + [
        4
    ]
    assert total == 0.0 + BOUNDS[0] + 0.5 + 1e6
