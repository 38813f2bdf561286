"""Show a computation graph: values, gradients, paths, a drawing."""

import argparse
import sys
import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bpcore.graph import gates
from bpcore.graph.composite import expand, recognize
from bpcore.graph.node import Array, Node
from bpcore.graph.paths import count
from bpcore.graph.reverse import backward, topological_order
from experiments.errors import UserError
from experiments.graphs import analysis, text
from experiments.graphs.expression import parse, parse_values
from experiments.text.numbers import number
from experiments.text.plain import as_json

DEFAULT_OUTPUT = Path("results") / "graph"
MOST_DRAWN = 150
_FORMATS = (".svg", ".png", ".dot")

_EPILOG = """\
examples:
  gradstab graph "(x+y)*z" x=-2 y=5 z=-4
  gradstab graph "norm2(W@x)" "W=[[0.1,0.5],[-0.3,0.8]]" "x=[0.2,0.4]" --check
  gradstab graph "1/(1+exp(-(w*x+b)))" w=2 x=-1 b=3 --collapse --paths

An expression has numbers, names, + - * / ** @ and .T, and the functions
{functions}.
max and min take several arguments; 1/u is one gate. Where a derivative does
not exist these conventions hold; a gradient that is not finite is refused:
{conventions}
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments.

    Args:
        parser: of the command.
    """
    catalogue = gates.catalogue()
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = _EPILOG.format(
        functions=textwrap.fill(", ".join(name for name, gate in catalogue.items() if not gate.operator or gate.operator == "abs"), 79),
        conventions="\n".join(f"  {name}: {gate.convention}" for name, gate in catalogue.items() if gate.convention),
    )
    parser.add_argument("expression", nargs="?", metavar="EXPRESSION", help='what to differentiate, in quotes, as in "(x+y)*z"')
    parser.add_argument("values", nargs="*", metavar="name=value", help="a number, a vector [1,2], a matrix [[1,2],[3,4]] for each name")
    composite = parser.add_mutually_exclusive_group()
    composite.add_argument("--expand", action="store_true", help="open composite gates (sigmoid, tanh, mean, …) into simple ones")
    composite.add_argument("--collapse", action="store_true", help="make one gate of what is a composite gate written out")
    parser.add_argument("--paths", action="store_true", help="list every path to every variable with its product of local derivatives")
    parser.add_argument("--check", action="store_true", help="compare every gradient with complex step (exit 1 if they disagree)")
    printed = parser.add_mutually_exclusive_group()
    printed.add_argument("--json", action="store_true", help="print value, gradients and nodes as JSON")
    printed.add_argument("--dot", action="store_true", help="print the graph as Graphviz DOT text, nothing else; files only with --output")
    parser.add_argument(
        "--output",
        metavar="PATH",
        type=Path,
        help="where to write: a folder, or one file ending in .svg, .png or .dot (default: results/graph)",
    )
    parser.add_argument("--examples", action="store_true", help="write and check the gallery of classical examples, an offline HTML page")
    accept_any_order(parser)


def accept_any_order(parser: argparse.ArgumentParser) -> None:
    """Let options stand before, between and after the values, and an expression begin with a minus.

    argparse takes positional arguments from one place only, and takes ``-x*y`` for an option.

    Args:
        parser: of the command; both of its ways of parsing are replaced.
    """
    original = parser.parse_known_args

    def parse_known_args(args: Sequence[str] | None = None, namespace: Any = None) -> Any:
        # argparse has no public list of its options; `_actions` has been one since its beginnings
        valued = [name for action in parser._actions if action.nargs != 0 for name in action.option_strings]
        return original(options_first(sys.argv[1:] if args is None else args, valued), namespace)

    # on this one parser only; the command line asks for the intermixed way, which cannot take an expression like -x*y
    parser.parse_known_args = parse_known_args  # type: ignore[method-assign,assignment]
    parser.parse_known_intermixed_args = parse_known_args  # type: ignore[method-assign,assignment]


def options_first(arguments: Sequence[str], valued: Sequence[str]) -> list[str]:
    """Return the arguments with all options in front, then ``--``, then everything else in its order.

    Args:
        arguments: as typed.
        valued: options that are followed by a value; they may be abbreviated.

    Returns:
        The same arguments.
    """
    options: list[str] = []
    others: list[str] = []
    waiting = iter(arguments)
    for argument in waiting:
        if argument == "--":
            others += waiting
        elif argument == "-h" or argument.startswith("--"):
            options.append(argument)
            if any(name.startswith(argument) for name in valued):
                options += [value for value in (next(waiting, None),) if value is not None]
        else:
            others.append(argument)
    return [*options, "--", *others]


def execute(args: argparse.Namespace) -> int:
    """Run the command.

    Args:
        args: parsed arguments.

    Returns:
        0; 1 if a comparison was asked for and fails.

    Raises:
        UserError: the expression, a value or the output path cannot be used.
    """
    if args.examples:
        return _examples(args)
    if not args.expression:
        raise UserError('no expression given, expected for example gradstab graph "(x+y)*z" x=-2 y=5 z=-4, or --examples')
    expression = parse(args.expression, parse_values(args.values))
    if expression.root.constant:
        value = number(float(expression.root.value), text.DIGITS) if expression.root.shape == () else "an array"
        raise UserError(f"`{expression.text}` is a constant, {value}: nothing to differentiate, use a name, as in x**2 x=3")
    with np.errstate(all="ignore"):  # what is not finite is refused by name
        root = expression.root
        root = expand(root) if args.expand else recognize(root, gates.catalogue().values()) if args.collapse else root
        _require_finite_values(root)
        if root.shape != ():
            hint = "wrap it in sum(…), mean(…) or norm2(…)"
            raise UserError(f"the expression's value has shape {root.shape}, expected a scalar to differentiate: {hint}")
        gradients = backward(root)
        label = text.names(root)
        _require_finite_gradients(root, gradients, label)
        variables = list(expression.variables.values())
        comparisons = analysis.compare(root, variables, gradients) if args.check else []
        tables = analysis.path_tables(root, variables, gradients) if args.paths else []
    if args.dot:
        from experiments.graphs.dot import dot

        if args.output:
            _write(root, gradients, label, args.output)
        print(dot(root, gradients, label), end="")
        return _verdict(comparisons)
    written = _write(root, gradients, label, args.output or DEFAULT_OUTPUT)
    if args.json:
        print(as_json(_as_json(root, gradients, label, variables, comparisons, tables, written)))
        return _verdict(comparisons)
    equation = f"{label[root]} = {text.infix(root, label)}" if root.gate else label[root]
    print(f"{equation} = {number(float(root.value), text.DIGITS)}\n")
    print(text.table(text.tabulate(root, gradients, label), label[root]))
    if any(max(node.shape, default=0) > text.MOST_SHOWN for node in gradients):
        print("\n(large arrays are given by their shape; --json has every entry)")
    if tables:
        print("\n" + analysis.path_report(tables, label, root))
    if comparisons:
        print("\n" + analysis.comparison_table(comparisons))
    print(f"\nwrote {', '.join(str(path) for path in written)}")
    return _verdict(comparisons)


def _require_finite_values(root: Node) -> None:
    for node in topological_order(root):  # expanding may overflow where the single gate does not
        if not np.isfinite(node.value).all():
            what = node.gate.name if node.gate else node.name
            raise UserError(f"gate `{what}` of the expanded graph overflows at this point: leave --expand out, or choose other values")


def _require_finite_gradients(root: Node, gradients: dict[Node, Array], label: dict[Node, str]) -> None:
    for node in reversed(topological_order(root)):
        if node in gradients and not np.isfinite(gradients[node]).all():
            users = [user for user in topological_order(root) if node in user.inputs and user.gate is not None]
            where = ", ".join(f"{label[user]} = {text.operation(user, label)}" for user in users)
            raise UserError(f"the gradient of `{label[node]}` is not finite here, in {where}: choose a point where the derivative exists")


def _verdict(comparisons: list[analysis.Comparison]) -> int:
    off = [one.name for one in comparisons if not one.agrees]
    if not off:
        return 0
    print(f"backward and complex step disagree for {', '.join(off)}: expected only at a kink (a tie of max, relu at 0)", file=sys.stderr)
    return 1


def _write(root: Node, gradients: dict[Node, Array], label: dict[Node, str], output: Path) -> list[Path]:
    if output.suffix and output.suffix not in _FORMATS and not output.is_dir():
        raise UserError(f"cannot write `{output}`: expected a folder, or a file ending in {', '.join(_FORMATS)}")
    from experiments.graphs.dot import dot  # matplotlib takes half a second to import: only where something is drawn
    from experiments.graphs.drawing import draw

    single = output.suffix in _FORMATS and not output.is_dir()
    files = [output] if single else [output / f"graph{suffix}" for suffix in _FORMATS]
    pictures = [path for path in files if path.suffix != ".dot"]
    boxes = sum(1 for node in topological_order(root) if node in gradients)
    if pictures and boxes > MOST_DRAWN:
        print(f"not drawn: {boxes} nodes, more than {MOST_DRAWN} are not legible", file=sys.stderr)
        files = [path for path in files if path.suffix == ".dot"]
        pictures = []
    try:
        for folder in {path.parent for path in files}:
            folder.mkdir(parents=True, exist_ok=True)
        drawing = draw(root, gradients, label, shapes=any(node.shape for node in gradients)) if pictures else None
        for path in files:
            if path.suffix == ".dot":
                path.write_text(dot(root, gradients, label), encoding="utf-8")
            elif drawing is not None:
                drawing.save(path)
    except OSError as error:
        raise UserError(f"cannot write `{error.filename or output}`: {error.strerror or error}; choose another --output") from None
    return files


def _as_json(
    root: Node,
    gradients: dict[Node, Array],
    label: dict[Node, str],
    variables: Iterable[Node],
    comparisons: list[analysis.Comparison],
    tables: list[analysis.PathTable],
    written: list[Path],
) -> dict[str, Any]:
    listed = text.tabulate(root, gradients, label)
    result: dict[str, Any] = {
        "value": root.value.tolist(),
        "gradients": {leaf.name: gradients[leaf].tolist() for leaf in variables},
        "nodes": [
            {
                "name": row.name,
                "gate": row.gate,
                "role": row.role,
                "expression": row.expression,
                "inputs": [label[parent] for parent in row.node.inputs],
                "value": row.value.tolist(),
                "gradient": row.gradient.tolist(),
            }
            for row in listed
        ],
        "files": [str(path) for path in written],
    }
    if tables:
        counted = count(root)
        result["paths"] = {
            table.name: {
                "count": table.count,
                "sum": table.total.tolist() if table.paths else None,
                "paths": [
                    {
                        "nodes": [label[node] for node in path.nodes],
                        "factors": [factor.tolist() for factor in path.factors],
                        "product": path.product.tolist(),
                    }
                    for path in table.paths
                ],
            }
            for table in tables
        }
        result["multiplications"] = {"paths": counted.paths, "path_by_path": counted.path_by_path, "reverse": counted.reverse}
    if comparisons:
        result["complex_step"] = {
            one.name: {"gradient": one.step.tolist(), "relative_difference": one.difference, "agrees": one.agrees} for one in comparisons
        }
    return result


def _examples(args: argparse.Namespace) -> int:
    if args.expression or args.values:
        raise UserError("--examples takes no expression: leave one of them out")
    folder = args.output or DEFAULT_OUTPUT / "examples"
    if folder.suffix:
        raise UserError(f"cannot write the gallery to `{folder}`: expected a folder")
    from experiments.graphs.gallery import write_gallery

    try:
        page, checks = write_gallery(folder)
    except OSError as error:
        raise UserError(f"cannot write `{error.filename or folder}`: {error.strerror or error}; choose another --output") from None
    failed = [check for check in checks if not check.holds]
    if args.json:
        print(as_json({"page": page, "checks": [check.as_dict() for check in checks]}))
    else:
        print(f"wrote {page}: {len(checks) - len(failed)} of {len(checks)} numbers hold")
    for check in failed:
        print(f"does not hold: {check.example}, {check.what}: stated {check.stated_text}, computed {check.computed_text}", file=sys.stderr)
    return 1 if failed else 0
