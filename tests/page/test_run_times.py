import pytest
from streamlit.runtime.scriptrunner import StopException

from explorer.page.durations import Durations
from explorer.page.run_times import RUN_TIMES, timed_run


@pytest.mark.parametrize(
    ("error", "outcome"),
    [(None, "finished"), (StopException, "interrupted"), (ZeroDivisionError, "failed")],
)
def test_a_run_is_counted_by_how_it_ends(
    error: type[BaseException] | None, outcome: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for each in RUN_TIMES:
        monkeypatch.setitem(RUN_TIMES, each, Durations())
    if error is None:
        with timed_run():
            pass
    else:
        with pytest.raises(error), timed_run():
            raise error
    counted = {each: durations.totals()[0][-1] for each, durations in RUN_TIMES.items()}
    assert counted == dict.fromkeys(RUN_TIMES, 0) | {outcome: 1}
