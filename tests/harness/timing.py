"""What two kinds of request differ by, on a machine that does other things as well."""
import statistics


def middle(values):
    """The median and the bounds within which it is with a confidence of 99.9 % (of the sign test)."""
    values = sorted(values)
    away = int(3.29 * len(values) ** 0.5 / 2) + 1
    half = len(values) // 2
    return statistics.median(values), values[max(0, half - away)], values[min(len(values) - 1, half + away)]
