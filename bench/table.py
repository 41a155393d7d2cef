"""The rows that a benchmark gives, as a Markdown table."""
import statistics


class Row:
    """One line.  good says whether the target is met; None: there is none."""

    def __init__(self, what, value, target="", good=None):
        self.what, self.value = what, value
        self.target, self.good = target, good

    def __str__(self):
        met = {None: "", True: "yes", False: "**no**"}[self.good]
        return f"| {self.what} | {self.value} | {self.target} | {met} |"


def markdown(rows):
    return "\n".join(["| what | figure | target | met |",
                      "|---|--:|---|---|"] + [str(row) for row in rows])


def number(value, digits=3):
    """12345.6 -> "12,346", 0.012345 -> "0.0123"."""
    if value == 0:
        return "0"
    whole = len(str(int(abs(value)))) if abs(value) >= 1 else 0
    if whole >= digits:
        return f"{value:,.0f}"
    if whole:
        return f"{value:.{digits - whole}f}"
    return f"{value:.{digits}g}"


def share(values, q):
    """The q-th quantile (0 to 1) by linear interpolation."""
    values = sorted(values)
    at = q * (len(values) - 1)
    low = int(at)
    high = min(low + 1, len(values) - 1)
    return values[low] + (values[high] - values[low]) * (at - low)


def middle(values):
    return statistics.median(values)
