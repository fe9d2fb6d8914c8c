"""A report is about the time of which there is data, as sharp as points can be, and never about more than was asked."""

import re

import pytest

from alerts.source import Series
from dashboards.report import Period, Sources, fitted

END = 1_000_000.0
DAY = Period(END - 86_400, END)


class StoreError(RuntimeError):
    """What the fake store raises."""


class Store:
    """Knows when calls were counted and when an alert fired, and answers as Prometheus would."""

    def __init__(self, calls=(), fired=None):
        self.calls, self.fired, self.asked = calls, fired, []

    def range(self, query, start, end, step):
        self.asked.append(query)
        moments = [start + number * step for number in range(int((end - start) // step) + 1)]
        if query.startswith("ALERTS"):
            found = [at for at in moments if self.fired and self.fired[0] <= at <= self.fired[1]]
        else:
            size, unit = re.search(r"\[(\d+)([smhd])\]", query).groups()
            window = int(size) * {"s": 1, "m": 60, "h": 3600, "d": 86_400}[unit]
            found = [at for at in moments if any(at - window < call <= at for call in self.calls)]
        return [Series({}, [(at, 1.0) for at in found])] if found else []


def fit(store, asked=DAY):
    return fitted(Sources(metrics=store, errors=(StoreError,)), asked, "prod")


@pytest.mark.parametrize("ago", [40, 3600, 50_000, 86_300])
def test_thirty_seconds_of_a_day_fill_the_picture(ago):
    first, last = END - ago, END - ago + 30
    found = fit(Store([first + second for second in range(31)]))
    assert found.start <= first
    assert last <= found.end
    assert found.seconds <= 120
    assert DAY.start <= found.start
    assert found.end <= DAY.end


def test_a_whole_day_stays_a_day():
    found = fit(Store(range(int(DAY.start), int(DAY.end), 60)))
    assert found.seconds > 0.98 * DAY.seconds


def test_a_quiet_time_between_two_runs_is_kept():
    found = fit(Store([END - 7000, END - 200]))
    assert found.start <= END - 7000
    assert found.end >= END - 200
    assert found.seconds < 8500


def test_an_alert_that_fires_later_is_in_the_picture():
    found = fit(Store([END - 7000, END - 6990], fired=(END - 6000, END - 5000)))
    assert found.start <= END - 7000
    assert END - 5000 <= found.end <= END - 4500


def test_the_picture_goes_on_to_the_end_while_calls_do():
    assert fit(Store(range(int(END) - 600, int(END)))).end == END


def test_one_call_gets_a_minute():
    assert fit(Store([END - 5000])).seconds == pytest.approx(60, abs=30)


def test_without_data_it_is_what_was_asked():
    assert fit(Store()) == DAY


def test_a_store_that_is_away_is_told_by_the_panels():
    class Away:
        def range(self, *_):
            raise StoreError

    assert fit(Away()) == DAY


def test_only_the_environment_of_the_report_counts():
    store = Store([END - 100])
    fit(store)
    assert all('environment="prod"' in query for query in store.asked)
