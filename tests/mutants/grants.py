"""Changes to infra/permissions.py: a grant is missing, is for more or for another thing, or needs no condition."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.mutants.change import Change, said

TABLES = ("GRANTS", "TICKET_GRANTS", "HUB_GRANTS", "WITHOUT_SECRET")
_OTHER_PLACE = {"On.KEYS": "On.ANYTHING", "On.LEDGER": "On.STREAM", "On.ANYTHING": "On.KEYS"}
_OTHER_ONLY = {"Only.MANAGED_KEYS": "Only.BROUGHT_KEYS", "Only.BROUGHT_KEYS": "Only.MANAGED_KEYS"}


def changes(root: Path, path: str) -> list[Change]:
    source = (root / path).read_text(encoding="utf-8")
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line.encode()))
    found = []
    for name, node, what, new in _all(ast.parse(source)):
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        start, end = starts[node.lineno - 1] + node.col_offset, starts[node.end_lineno - 1] + node.end_col_offset
        old = source.encode()[start:end].decode()
        found.append(Change(f"permissions {name}: {what}", path, start, end, new, said(old, new)))
    return found


def _all(module: ast.Module) -> Iterator[tuple[str, ast.expr, str, str]]:
    for statement in module.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.expr() as value):
                pass
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                pass
            case _:
                continue
        if name in ("GRANTS", "TICKET_GRANTS", "HUB_GRANTS"):
            yield from _of_table(value)
        for node in ast.walk(value):
            match node:
                case ast.Call(func=ast.Name(id="Grant")):
                    yield from _of_grant(_row_of(name, value, node), node)
        if name == "RENEW" and isinstance(value, ast.Tuple):
            yield from _of_actions(name, value)


def _row_of(name: str, table: ast.expr, grant: ast.Call) -> str:
    """A grant that stands in a Lambda's row has no name of its own."""
    if isinstance(table, ast.Dict):
        for key, row in zip(table.keys, table.values, strict=True):
            if isinstance(key, ast.Constant) and isinstance(key.value, str) and grant in ast.walk(row):
                [why] = [each.value for each in grant.keywords if each.arg == "why"]
                return f"{key.value} {ast.unparse(grant.args[1])}, {ast.literal_eval(why)}"
    return name


def _of_table(table: ast.expr) -> Iterator[tuple[str, ast.expr, str, str]]:
    """A Lambda without one of its grants."""
    assert isinstance(table, ast.Dict)
    for key, row in zip(table.keys, table.values, strict=True):
        assert isinstance(key, ast.Constant)
        assert isinstance(row, ast.Tuple)
        named = [ast.unparse(grant) for each in row.elts for grant in _spread(each)]
        for number, name in enumerate(named):
            rest = named[:number] + named[number + 1 :]
            if not name.startswith("Grant("):
                yield str(key.value), row, f"without {name}", f"({', '.join(rest)},)" if rest else "()"


def _spread(element: ast.expr) -> list[ast.expr]:
    """`*(A, B)` in a row is a line of it."""
    inner = element.value if isinstance(element, ast.Starred) else element
    return inner.elts if isinstance(inner, ast.Tuple) else [inner]


def _of_grant(name: str, grant: ast.Call) -> Iterator[tuple[str, ast.expr, str, str]]:
    actions, place, *more = grant.args
    if isinstance(actions, ast.Tuple):
        yield from _of_actions(name, actions)
    where = ast.unparse(place)
    other = _OTHER_PLACE.get(where, "On.ANYTHING")
    yield name, place, f"on {other}", other
    for only in more:
        text = ast.unparse(only)
        yield name, only, "without its condition", "None"
        if text in _OTHER_ONLY:
            yield name, only, f"under {_OTHER_ONLY[text]}", _OTHER_ONLY[text]
    for keyword in grant.keywords:
        if keyword.arg == "why":
            continue
        rest = [*map(ast.unparse, grant.args)]
        rest += [f"{each.arg}={ast.unparse(each.value)}" for each in grant.keywords if each is not keyword]
        yield name, grant, f"without {keyword.arg}", f"Grant({', '.join(rest)})"


def _of_actions(name: str, actions: ast.Tuple) -> Iterator[tuple[str, ast.expr, str, str]]:
    texts = [ast.unparse(each) for each in actions.elts]
    for number, action in enumerate(texts):
        if len(texts) > 1:
            rest = texts[:number] + texts[number + 1 :]
            yield name, actions, f"without {ast.literal_eval(action)}", f"({', '.join(rest)},)"
    service = ast.literal_eval(texts[0]).partition(":")[0]
    yield name, actions, f"with {service}:*", f"({', '.join([*texts, repr(f'{service}:*')])},)"
