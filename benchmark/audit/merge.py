"""Bring in the results of another machine or laboratory."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmark.errors import StoreError, UserError, reason_of
from benchmark.results.plausible import problem_of
from benchmark.results.store import Result, Store, read_result
from benchmark.runs.spec import PROTOCOL
from benchmark.suites.profiles import PROFILE_NAMES, VARIANT_NAME
from benchmark.system.files import entries
from benchmark.system.folders import why_no_folder


@dataclass(frozen=True)
class Conflict:
    """One run with different numbers here and there; the one here stays."""

    path: Path
    ours: Result
    theirs: Result


@dataclass
class Merged:
    """What came of a merge: results brought in, already here, in conflict, and refused with the reason.

    It is cut off where one can't be written: those behind it were not looked at.
    """

    added: list[Path] = field(default_factory=list)
    same: int = 0
    conflicts: list[Conflict] = field(default_factory=list)
    refused: dict[Path, str] = field(default_factory=dict)
    cut_off: bool = False


def merge(other: Path, results_dir: Path) -> Merged:
    """Copy every completed result of another results folder that is not here yet.

    Each appears whole or not at all; nothing that is here is touched, so a merge that was cut off is just
    started again.

    Args:
        other: a results folder: the one that holds ``paper``, ``mini`` and so on.
        results_dir: ours.

    Raises:
        UserError: ``other`` is no results folder, or ours; or ours can't be written.
    """
    if not other.is_dir():
        what = "is a file; name the results folder" if other.exists() else "there is no such folder"
        raise UserError(f"{other}: {what}")
    if other.resolve() == results_dir.resolve():
        raise UserError(f"{other}: is the results folder itself; name another machine's")
    folders = [path for path in entries(other) if VARIANT_NAME.fullmatch(path.name)]
    if not folders:
        raise UserError(f"{other}: holds no profile's folder ({', '.join(PROFILE_NAMES)}); name the one that does")
    out = Merged()
    for folder in folders:
        store, paths = Store(results_dir / folder.name), _results_in(folder, out)
        if paths:
            store.check_writable()
        for path in paths:
            try:
                _bring_in(path, store, out)
            except StoreError as error:
                out.refused[path] = error.reason
            except OSError as error:  # a full disk, say: nothing more finds room
                out.refused[path] = f"{store.path(path.stem)} can't be written: {error.strerror or error}"
                out.cut_off = True
                return out
    return out


def _bring_in(path: Path, store: Store, out: Merged) -> None:
    theirs = read_result(path, completed=True)
    name = theirs.run_id
    if theirs.spec.protocol > PROTOCOL:
        out.refused[path] = f"is of protocol {theirs.spec.protocol}, which this code does not know"
    elif problem := problem_of(theirs):
        out.refused[path] = problem
    elif name not in store.completed():
        store.put(theirs)
        out.added.append(store.path(name))
    else:
        _compare(path, theirs, store, out)


def _compare(path: Path, theirs: Result, store: Store, out: Merged) -> None:
    """A good result of a run that is here too."""
    here = store.path(theirs.run_id)
    try:
        ours = store.load(theirs.run_id)
        problem = problem_of(ours)
    except StoreError as error:
        problem = error.reason
    if problem:
        out.refused[path] = f"there is a damaged one here ({here}: {problem}); `verify --set-aside` moves that away"
    elif (ours.metrics, ours.history) == (theirs.metrics, theirs.history):
        out.same += 1
    else:
        out.conflicts.append(Conflict(here, ours, theirs))


def _results_in(folder: Path, out: Merged) -> list[Path]:
    """The files of a profile there; one that can't be read, or leads nowhere, is refused as a whole."""
    try:
        paths = entries(folder)
    except OSError as error:
        out.refused[folder] = f"can't be read: {reason_of(error)}"
        return []
    if not paths and (reason := why_no_folder(folder)):
        out.refused[folder] = reason
    return [path for path in paths if path.suffix == ".json" and not path.name.startswith(".")]


def differences(conflict: Conflict) -> Iterator[tuple[str, str, str]]:
    """What differs, its value here and its value there: numbers first, then where they come from."""
    ours, theirs = _flat(conflict.ours.metrics), _flat(conflict.theirs.metrics)
    yield from _unequal(ours, theirs)
    for here, there in zip(conflict.ours.history, conflict.theirs.history, strict=False):
        if here != there:
            yield from _unequal(
                _flat(here, f"epoch {here.get('epoch')}: "), _flat(there, f"epoch {here.get('epoch')}: ")
            )
            break  # everything behind the first differing epoch differs too
    here, there = (one.provenance.origin() for one in (conflict.ours, conflict.theirs))
    yield from _unequal(*({name: ", ".join(values) for name, values in one.items()} for one in (here, there)))


def _flat(tree: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    out: dict[str, Any] = {}
    for key, value in tree.items():
        out |= _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return out


def _unequal(ours: dict[str, Any], theirs: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    for key in dict.fromkeys([*ours, *theirs]):
        if ours.get(key) != theirs.get(key):
            yield key, str(ours.get(key, "—")), str(theirs.get(key, "—"))
