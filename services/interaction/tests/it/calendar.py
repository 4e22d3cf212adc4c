"""Business time by another method: minute by minute, asking of each minute of UTC what the clock on the wall shows.

python3 calendar.py ZONES CASES: ZONES is a directory of compiled time zones, CASES a file with one JSON document per line:
a window {"zone", "start" (minute since 1970), "minutes"} or a calendar in the last window {"weekly": [[day, from, to]],
"holidays": ["YYYY-MM-DD"], "cases": [["add" | "between", microsecond, microseconds | microsecond]]}. For each case one line
is printed: microseconds, or "later" for a sum that lies behind the window. Needs nothing but Python 3.9.
"""

import bisect
import datetime
import itertools
import json
import pathlib
import sys
import zoneinfo

MINUTE = 60_000_000


class Window:
    """Each minute of a stretch of UTC with the date and the minute of the week that the wall shows."""

    def __init__(self, zones, zone, start, minutes):
        with open(pathlib.Path(zones, zone), "rb") as file:
            wall = zoneinfo.ZoneInfo.from_file(file, key=zone)
        self.start = start
        self.days, self.of_week = [], []
        for minute in range(start, start + minutes):
            shown = datetime.datetime.fromtimestamp(minute * 60, wall)
            assert shown.second == 0, f"{zone} is no whole number of minutes from UTC"
            self.days.append(shown.toordinal())
            self.of_week.append(shown.weekday() * 1440 + shown.hour * 60 + shown.minute)

    def elapsed(self, weekly, holidays):
        """How many minutes were open before each minute of the window."""
        open_in_week = bytearray(7 * 1440)
        for day, first, last in weekly:
            for minute in range(first, last):
                open_in_week[(day - 1) * 1440 + minute] = 1
        closed = {datetime.date.fromisoformat(holiday).toordinal() for holiday in holidays}
        is_open = (0 if day in closed else open_in_week[minute] for day, minute in zip(self.days, self.of_week))
        return list(itertools.accumulate(is_open, initial=0))


def counted(window, elapsed, moment):
    """The open microseconds from the beginning of the window to a moment."""
    minute, rest = divmod(moment - window.start * MINUTE, MINUTE)
    if minute == len(elapsed) - 1:
        return elapsed[minute] * MINUTE
    return elapsed[minute] * MINUTE + (elapsed[minute + 1] - elapsed[minute]) * rest


def between(window, elapsed, start, end):
    return max(0, counted(window, elapsed, end) - counted(window, elapsed, start)) if end > start else 0


def add(window, elapsed, start, span):
    if span == 0:
        return start
    wanted = counted(window, elapsed, start) + span
    # The first minute at whose end as much has passed.
    minute = bisect.bisect_left(elapsed, -(-wanted // MINUTE)) - 1
    if minute >= len(elapsed) - 1:
        return "later"
    return (window.start + minute) * MINUTE + wanted - elapsed[minute] * MINUTE


def main():
    zones, cases = sys.argv[1:]
    window = None
    with open(cases, encoding="utf-8") as lines:
        for line in lines:
            asked = json.loads(line)
            if "zone" in asked:
                window = Window(zones, asked["zone"], asked["start"], asked["minutes"])
                continue
            elapsed = window.elapsed(asked["weekly"], asked["holidays"])
            for what, start, other in asked["cases"]:
                print({"add": add, "between": between}[what](window, elapsed, start, other))


main()
