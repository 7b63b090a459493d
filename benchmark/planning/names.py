"""What people call a run: a part of its id, or the cell that reads it."""

from collections.abc import Collection, Sequence

from benchmark.errors import UserError
from benchmark.runs.schema import suggestion
from benchmark.runs.spec import CostSpec, run_id, with_seed, words_and_seed
from benchmark.suites.suite import Cell, Suite, is_cell
from benchmark.wording import some


def the_run(text: str, ids: Collection[str], cells: Sequence[Cell] = (), option: str = "") -> str:
    """The run whose id a text is, or is a part of that no other one has.

    Args:
        text: what somebody wrote.
        ids: of the runs there are.
        cells: whose names are suggested where nothing fits.
        option: that it was given to, with a space behind it.

    Raises:
        UserError: it is none's, or several'.
    """
    found = sorted(name for name in ids if text.lower() in name) if text not in ids else [text]
    if len(found) == 1:
        return found[0]
    names = list(dict.fromkeys(name for cell in cells for name in (cell.row, cell.column)))
    hint = f"; {suggestion(text, names)}" if names else ""
    if found and text:
        raise UserError(
            f"{option}{text}: no cell has such a name, and it is a part of several runs' ids, {some(found)}{hint}"
        )
    raise UserError(
        f"{option}{text or 'an empty name'}: no cell has such a name, and it is no part of a run's id{hint}"
    )


def cells_named(text: str, suites: Sequence[Suite]) -> list[Cell]:
    """The cells that ``ROW / COLUMN`` means, with ``SUITE:`` before it those of that suite; no whole row or column."""
    return [cell for suite in suites for cell in suite.cells if is_cell(text.lower(), cell)]


def runs_named(text: str, suites: Sequence[Suite], ids: Collection[str]) -> list[str]:
    """Those of some runs that a text means: the trials of a cell by seed, or the one whose id it is a part of.

    Args:
        text: what somebody wrote.
        suites: where ``ROW / COLUMN`` is looked up.
        ids: of the runs.

    Raises:
        UserError: none, or as a part of an id several.
    """
    if cells := cells_named(text, suites):
        found = sorted({name for cell in cells for name in _trials(cell, ids)}, key=words_and_seed)
        if not found:
            raise UserError(f"{text}: there is such a cell, but no run of it here")
        return found
    return [the_run(text, ids, [cell for suite in suites for cell in suite.cells])]


def _trials(cell: Cell, ids: Collection[str]) -> set[str]:
    """The runs among some that a cell reads; a measurement on whatever device."""
    words, _ = words_and_seed(run_id(cell.spec))
    alike = {name: seed for name in ids for found, seed in [words_and_seed(name)] if found == words}
    if isinstance(cell.spec, CostSpec):
        return set(alike)
    return {name for name, seed in alike.items() if seed is not None and name == run_id(with_seed(cell.spec, seed))}
