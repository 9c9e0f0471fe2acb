"""Makes a statement that breaks the law shorter, as long as it still does."""
import re
import time

TOKEN = re.compile(r"'(?:[^']|'')*'(?:::[a-z]+(?:\(\d+,\d+\))?)?|\"[^\"]*\"|::[a-z]+(?:\(\d+,\d+\)|\[\])?|[A-Za-z_0-9.]+|<>|<=|>=|\|\||\S")
WORDS = ("LEFT", "RIGHT", "FULL", "USING", "NATURAL", "LATERAL", "WITH", "RECURSIVE", "DISTINCT", "ON", "UNION", "ALL", "INTERSECT", "EXCEPT", "EXISTS",
         "IN", "ANY", "NOT", "OVER", "GROUP", "HAVING", "FILTER", "ROLLUP", "CUBE", "GROUPING", "WITHIN", "LIMIT", "OFFSET", "VALUES", "CASE", "ARRAY",
         "unnest", "generate_series")


def units(sql):
    """Tokens. From ORDER to the end of its level is one, so that no row is left without its order."""
    found, tail, depth = [], None, 0
    for token in TOKEN.findall(sql):
        if tail is not None and depth == 0 and token == ")":
            found.append(" ".join(tail))
            tail = None
        if tail is None and token == "ORDER":
            tail, depth = [], 0
        if tail is None:
            found.append(token)
        else:
            depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(token, 0)
            tail.append(token)
    return found + ([" ".join(tail)] if tail is not None else [])


def is_balanced(tokens):
    depth = 0
    for token in tokens:
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(token, 0)
        if depth < 0:
            return False
    return depth == 0


def candidates(tokens):
    """Shorter texts: without a span, long spans first; or with a group in parentheses for what is around it."""
    for size in range(len(tokens) - 3, 0, -1):
        for start in range(1, len(tokens) - size + 1):
            if is_balanced(tokens[start:start + size]):
                yield tokens[:start] + tokens[start + size:]
    for start, token in enumerate(tokens):
        if token == "(" and tokens[start + 1:start + 2] in (["SELECT"], ["WITH"], ["("]):
            end = next(e for e in range(start + 1, len(tokens) + 1) if is_balanced(tokens[start:e]))
            yield tokens[start + 1:end - 1]


def shrink(sql, breaks, seconds=5):
    """breaks(sql): whether it is valid and breaks the law. Returns the shortest that was found in time."""
    deadline, tokens = time.monotonic() + seconds, units(sql)
    if not breaks(" ".join(tokens)):
        return sql
    while True:
        for shorter in candidates(tokens):
            if time.monotonic() > deadline:
                return " ".join(tokens)
            if breaks(" ".join(shorter)):
                tokens = shorter
                break
        else:
            return " ".join(tokens)


def words(sql):
    """What kind of statement it is."""
    return frozenset(TOKEN.findall(sql)) & frozenset(WORDS)
