"""Changes to Python: a piece of a function becomes what a slip of the hand, or an omission, would have made of it.

Nothing is changed in types, docstrings, imports, log lines and texts for people: they decide nothing.
"""

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tests.mutants.change import Change, said

Piece = tuple[str, ast.AST, str]
"""Kind, the node whose text is replaced, the new text."""

_OTHER: dict[type[ast.AST], str] = {
    **{ast.Lt: "<=", ast.LtE: "<", ast.Gt: ">=", ast.GtE: ">", ast.Eq: "!=", ast.NotEq: "=="},
    **{ast.In: "not in", ast.NotIn: "in", ast.Is: "is not", ast.IsNot: "is"},
    **{ast.Add: "-", ast.Sub: "+", ast.Mult: "/", ast.Div: "*", ast.FloorDiv: "*", ast.Mod: "*"},
}
_TWINS = {"any": "all", "all": "any", "min": "max", "max": "min"}
_EMPTY = {"list": "[]", "tuple": "()", "dict": "{}", "set": "set()", "str": '""', "Sequence": "()", "Mapping": "{}"}
_UNTOUCHED = (ast.JoinedStr, ast.Import, ast.ImportFrom)
"""Python 3.11 does not know where the pieces of an f-string are; most are texts for people."""
_LOG = ("logger.", "_log.")


def changes(root: Path, path: str) -> list[Change]:
    """Every change that may be tried on a file, in its order."""
    return _Finder(path, (root / path).read_bytes()).found


class _Finder(ast.NodeVisitor):
    def __init__(self, path: str, source: bytes) -> None:
        self._path, self._source = path, source
        self._starts = [0]
        for line in source.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))
        self._names: list[str] = []
        self._functions: list[ast.FunctionDef] = []
        self._counts: Counter[str] = Counter()
        self.found: list[Change] = []
        self.visit(ast.parse(source))

    # --- what is looked at ---

    def visit(self, node: ast.AST) -> None:
        if isinstance(node, _UNTOUCHED) or self._is_said(node):
            return
        for kind, piece, new in self._pieces(node):
            self._add(kind, piece, new)
        super().visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._names.append(node.name)
        self._functions.append(node)
        for each in [*node.args.defaults, *filter(None, node.args.kw_defaults), *node.body]:
            self.visit(each)
        self._functions.pop()
        self._names.pop()

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        if any(ast.unparse(base) == "Protocol" for base in node.bases):
            return
        self._names.append(node.name)
        for each in node.body:
            self.visit(each)
        self._names.pop()

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)

    def _is_said(self, node: ast.AST) -> bool:
        """A docstring, a log line, or what is for mypy alone."""
        if isinstance(node, ast.If):
            return ast.unparse(node.test) == "TYPE_CHECKING"
        if not isinstance(node, ast.Expr):
            return False
        return isinstance(node.value, ast.Constant) or self._text(node).startswith(_LOG)

    # --- what is changed ---

    def _pieces(self, node: ast.AST) -> Iterator[Piece]:
        match node:
            case ast.If() | ast.While() | ast.IfExp():
                yield "condition", node.test, self._negated(node.test)
            case ast.comprehension():
                for each in node.ifs:
                    yield "condition", each, self._negated(each)
            case ast.BoolOp():
                yield from self._of_alternatives(node)
            case ast.Compare(ops=[op]):
                left, right = self._text(node.left), self._text(node.comparators[0])
                yield "comparison", node, f"({left} {_OTHER[type(op)]} {right})"
            case ast.BinOp() if type(node.op) in _OTHER:
                yield "arithmetic", node, f"({self._text(node.left)} {_OTHER[type(node.op)]} {self._text(node.right)})"
            case ast.Call():
                yield from self._of_call(node)
            case ast.Dict() if node.keys:
                pairs = [self._pair(key, value) for key, value in zip(node.keys, node.values, strict=True)]
                for rest in _each_left_out(pairs):
                    yield "entry", node, f"{{{', '.join(rest)}}}"
            case ast.Tuple(ctx=ast.Load()) | ast.List(ctx=ast.Load()) | ast.Set():
                yield from self._of_elements(node)
            case ast.Constant():
                yield from _of_constant(node)
            case ast.stmt() | ast.ExceptHandler():
                yield from self._of_statement(node)

    def _of_alternatives(self, node: ast.BoolOp) -> Iterator[Piece]:
        parts = [f"({self._text(each)})" for each in node.values]
        own, other = (" and ", " or ") if isinstance(node.op, ast.And) else (" or ", " and ")
        yield "connective", node, f"({other.join(parts)})"
        for rest in _each_left_out(parts):
            yield "operand", node, f"({own.join(rest)})"

    def _of_call(self, node: ast.Call) -> Iterator[Piece]:
        if isinstance(node.func, ast.Name) and node.func.id in _TWINS:
            yield "twin", node.func, _TWINS[node.func.id]
        given = [self._text(each) for each in node.args]
        named = [
            f"{each.arg}={self._text(each.value)}" if each.arg else f"**({self._text(each.value)})"
            for each in node.keywords
        ]
        for rest in _each_left_out(named):
            yield "argument", node, f"{self._text(node.func)}({', '.join([*given, *rest])})"

    def _of_elements(self, node: ast.Tuple | ast.List | ast.Set) -> Iterator[Piece]:
        around = {ast.Tuple: "({},)", ast.List: "[{}]", ast.Set: "{{{}}}"}[type(node)]
        bare = isinstance(node, ast.Tuple) and not self._text(node).startswith("(")
        if len(node.elts) > 1 and not bare:
            for rest in _each_left_out([self._text(each) for each in node.elts]):
                yield "element", node, around.format(", ".join(rest))

    def _of_statement(self, node: ast.AST) -> Iterator[Piece]:
        match node:
            case (
                ast.Expr(value=ast.Call() | ast.YieldFrom() | ast.Yield())
                | ast.AugAssign()
                | ast.Delete()
                | ast.Assign(targets=[ast.Attribute() | ast.Subscript()])
            ):
                yield "statement", node, "pass"
            case ast.Raise() if "NotImplementedError" not in self._text(node):
                yield "raise", node, "pass"
            case ast.Continue() | ast.Break():
                yield "jump", node, "pass"
            case ast.ExceptHandler(body=[first, *_]) if not isinstance(first, ast.Raise):
                last = node.body[-1]
                whole = ast.Pass(lineno=first.lineno, col_offset=first.col_offset)
                whole.end_lineno, whole.end_col_offset = last.end_lineno, last.end_col_offset
                yield "handler", whole, "raise"
            case ast.Return(value=ast.expr() as value) if self._functions:
                yield from self._of_answer(value)

    def _of_answer(self, value: ast.expr) -> Iterator[Piece]:
        wanted = self._functions[-1].returns
        name = ast.unparse(wanted.value if isinstance(wanted, ast.Subscript) else wanted) if wanted else ""
        if isinstance(value, ast.Constant) and (value.value is None or isinstance(value.value, bool)):
            return
        if name == "bool":
            if not isinstance(value, ast.Compare):
                yield "answer", value, self._negated(value)
        elif self._text(value) != _EMPTY.get(name, "None"):
            yield "answer", value, _EMPTY.get(name, "None")

    # --- texts ---

    def _pair(self, key: ast.expr | None, value: ast.expr) -> str:
        return f"{self._text(key)}: {self._text(value)}" if key else f"**({self._text(value)})"

    def _negated(self, node: ast.expr) -> str:
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return f"({self._text(node.operand)})"
        return f"(not ({self._text(node)}))"

    def _at(self, node: ast.AST) -> tuple[int, int]:
        first, column, last, end = (getattr(node, each) for each in _PLACE)
        return self._starts[first - 1] + column, self._starts[last - 1] + end

    def _text(self, node: ast.AST) -> str:
        start, end = self._at(node)
        text = self._source[start:end].decode()
        return f"({text})" if isinstance(node, ast.NamedExpr | ast.Yield) else text

    def _add(self, kind: str, node: ast.AST, new: str) -> None:
        start, end = self._at(node)
        short = self._path.removeprefix("functions/").removeprefix("rekey/")
        place = f"{short} {'.'.join(self._names) or 'module'} {kind}"
        self._counts[place] += 1
        self.found.append(
            Change(
                id=f"{place} {self._counts[place]}",
                path=self._path,
                start=start,
                end=end,
                new=new,
                says=said(self._source[start:end].decode(), new),
                lines=self._lines(node),
            )
        )

    def _lines(self, node: ast.AST) -> tuple[int, ...]:
        """What is outside of functions runs at the import, a default at the definition."""
        if not self._functions:
            return ()
        inner = self._functions[-1]
        first = inner.body[0].lineno
        begin, end = getattr(node, "lineno", 0), getattr(node, "end_lineno", 0)
        return tuple(range(begin, end + 1) if begin >= first else range(first, (inner.end_lineno or first) + 1))


_PLACE = ("lineno", "col_offset", "end_lineno", "end_col_offset")


def _each_left_out(parts: list[str]) -> Iterator[list[str]]:
    for number in range(len(parts)):
        yield parts[:number] + parts[number + 1 :]


def _of_constant(node: ast.Constant) -> Iterator[Piece]:
    match node.value:
        case bool():
            yield "truth", node, str(not node.value)
        case int() | float():
            yield "number", node, repr(node.value + 1 if node.value < 10 else node.value * 2)
        case str(text) if text and not any(map(str.isspace, text)):
            yield "word", node, repr(f"{text}x")
