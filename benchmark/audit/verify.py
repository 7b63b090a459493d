"""Can what lies on disk be trusted? Every result file, and every manifest against itself."""

import datetime
import json
import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmark.errors import StoreError, UnknownVersionError, UserError, reason_of
from benchmark.results.plausible import moment, problem_of
from benchmark.results.store import Result, Store, read_json, read_result, result_of, upgraded
from benchmark.runs.axes import Choices, Numerics
from benchmark.runs.spec import PROTOCOL, CostSpec, TrainSpec, run_id, with_seed, words_and_seed
from benchmark.suites.profiles import PROFILE_NAMES, VARIANT_NAME, load_variant
from benchmark.suites.suite import load_suite
from benchmark.system.files import entries, leftovers
from benchmark.system.folders import why_no_folder
from benchmark.wording import counted, some


@dataclass(frozen=True)
class Finding:
    """Something wrong with a file, in one sentence that says what to do.

    Attributes:
        path: the file.
        problem: the sentence.
        damaged: whether it is a result that is to be set aside and trained again.
    """

    path: Path
    problem: str
    damaged: bool = False


@dataclass
class Verification:
    """What was looked at and what was found.

    Attributes:
        unsigned: how many good results are of before checksums.
        notes: what one should know and is no mistake.
    """

    manifests: int = 0
    results: int = 0
    unsigned: int = 0
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def verify(results_dir: Path, manifests: Sequence[Path], *, everything: bool) -> Verification:
    """Check manifests under every profile, and results.

    Args:
        results_dir: the folder of the profiles' results; need not exist.
        manifests: the suites to check.
        everything: check every result file; otherwise those whose name says that one of the suites reads them.
    """
    out = Verification()
    heads: set[str] = set()
    asked: dict[str, set[str]] = {profile: set() for profile in PROFILE_NAMES}
    for path in manifests:
        out.manifests += 1
        for profile in PROFILE_NAMES:
            try:
                cells = load_suite(path, load_variant(profile), device="any").cells
                heads |= {_head(run_id(cell.spec)) for cell in cells}
                asked[profile] |= {_entry(cell.spec) for cell in cells}
            except UserError as error:
                out.findings.append(Finding(path, f"profile {profile}: {error}"))
                break
    good: dict[Path, Result] = {}
    for folder in _listed(results_dir, out):
        if not VARIANT_NAME.fullmatch(folder.name):
            if everything:
                out.findings.append(Finding(folder, "is no profile's folder and is never read; move it elsewhere"))
        elif reason := why_no_folder(folder):
            out.findings.append(Finding(folder, f"{reason}; results should lie there"))
        else:
            _check_folder(Store(folder), None if everything else heads, out, good)
            out.notes += _left(Store(folder))
    out.findings += [*_copies(good), *_other_images(good)]
    out.notes += [
        *_without_checksum(out.unsigned),
        *_doubted(good),
        *_of_the_future(good),
        *(_unasked(good, asked) if everything and manifests else []),
    ]
    return out


def unreadable(store: Store, names: Iterable[str]) -> list[Finding]:
    """Files of these runs that a suite can't go on with: results and failure records alike.

    Raises:
        UnknownVersionError: one was written by another version of this code, which is no damage.
    """
    found = []
    for name in names:
        for path, completed in ((store.path(name), True), (store.failures_folder / f"{name}.json", False)):
            if os.path.lexists(path):
                try:
                    read_result(path, completed=completed)
                except UnknownVersionError:
                    raise
                except StoreError as error:
                    found.append(Finding(path, error.advice, damaged=True))
    return found


def _check_folder(store: Store, heads: set[str] | None, out: Verification, good: dict[Path, Result]) -> None:
    there = _listed(store.folder, out)
    for path in there:
        if path in (store.failures_folder, store.damaged_folder, store.replaced_folder):
            continue
        if path.suffix != ".json" and heads is None:
            out.findings.append(Finding(path, "is no result and is never read; move it elsewhere"))
        if path.suffix == ".json" and (heads is None or _head(path.stem) in heads):
            out.results += 1
            finding = _check_result(path, out, good)
            out.findings += [finding] if finding else []
    for path in _listed(store.failures_folder, out) if store.failures_folder in there else ():
        if path.suffix == ".json" and (heads is None or _head(path.stem) in heads):
            try:
                read_result(path, completed=False)
            except StoreError as error:
                known = not isinstance(error, UnknownVersionError)
                out.findings.append(Finding(path, error.advice, damaged=known))


def _check_result(path: Path, out: Verification, good: dict[Path, Result]) -> Finding | None:
    try:
        tree = read_json(path)
        result = result_of(tree, path, completed=True)
    except UnknownVersionError as error:
        return Finding(path, error.advice)
    except StoreError as error:
        return Finding(path, _misplaced(path) or error.advice, damaged=True)
    if result.spec.protocol > PROTOCOL:
        known = f"this code knows protocols up to {PROTOCOL}"
        return Finding(path, f"is of protocol {result.spec.protocol}, and {known}; read it with newer code")
    if problem := problem_of(result):
        return Finding(path, f"{problem}; move it away and run again", damaged=True)
    good[path] = result
    out.unsigned += "checksum" not in tree
    return None


def _misplaced(path: Path) -> str | None:
    """What to do about a good result under another name; None where it is no good result."""
    try:
        result = Result.model_validate(upgraded(read_json(path)))
    except (StoreError, ValueError, AttributeError):
        return None
    if run_id(result.spec) != result.run_id or path.stem == result.run_id:
        return None
    own = path.with_name(f"{result.run_id}.json")
    try:
        here = read_result(own, completed=True)
    except StoreError:
        return f"holds the run {result.run_id} under another name; rename it to {own.name}"
    same = (here.metrics, here.history) == (result.metrics, result.history)
    return f"is a copy of {own.name} {'' if same else 'with other numbers '}under another name; move it away"


def _copies(good: dict[Path, Result]) -> Iterator[Finding]:
    """Trials of one entry with the same digits: no two seeds ever give them."""
    first: dict[tuple[Path, str, str], Path] = {}
    for path, result in good.items():
        if not isinstance(result.spec, CostSpec):
            key = (path.parent, run_id(with_seed(result.spec, 0)), json.dumps(result.history))
            if (other := first.setdefault(key, path)) != path:
                yield Finding(
                    path, f"has the numbers of {other.name}, digit for digit; move away the one that is a copy"
                )


def _other_images(good: dict[Path, Result]) -> Iterator[Finding]:
    """Runs on one dataset that saw other pixels than most."""
    by_dataset: dict[str, dict[Path, str]] = defaultdict(dict)
    for path, result in good.items():
        by_dataset[result.spec.dataset.model_dump_json()][path] = str(result.provenance.data_digest)
    for digests in by_dataset.values():
        (usual, count), *others = Counter(digests.values()).most_common()
        for path, digest in digests.items():
            if others and (digest != usual or others[0][1] == count):
                yield Finding(
                    path,
                    f"was trained on other images than other runs on its dataset (digest {digest[:23]}…); "
                    "find out which data folder is right and move the results of the other away",
                )


def _left(store: Store) -> Iterator[str]:
    """What killed processes left of their writing."""
    if names := [path.name for place in (store.folder, store.failures_folder) for path in leftovers(place)]:
        count = counted(len(names), "leftover")
        yield f"{count} of killed processes in {store.folder}, which the next run sweeps: {some(names)}"


def _without_checksum(count: int) -> Iterator[str]:
    """The results of before checksums."""
    if count:
        yield f"{counted(count, 'result')} of schema version 1 without a checksum: an edit there can go unnoticed"


def _doubted(good: dict[Path, Result]) -> Iterator[str]:
    """The results whose code nobody can look up for certain."""
    names: dict[str, list[str]] = defaultdict(list)
    for path, result in good.items():
        if (why := result.provenance.code_doubt()) is not None:
            names[why].append(path.name)
    for why, doubted in names.items():
        made = f"{counted(len(doubted), 'result')} made by code that nobody can look up for certain"
        yield f"{made} ({why}): {some(doubted)}"


def _of_the_future(good: dict[Path, Result]) -> Iterator[str]:
    """Results that ended by a clock that is wrong there, or here; a day is for time zones that nobody named."""
    latest = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=1)
    ends = {path.name: moment(result.provenance.end or "") for path, result in good.items()}
    if names := [name for name, end in ends.items() if end and end > latest]:
        yield f"{counted(len(names), 'result')} ended in the future, by a clock that was wrong: {some(names)}"


def _unasked(good: dict[Path, Result], asked: dict[str, set[str]]) -> Iterator[str]:
    """Results in a profile's folder that are of another profile, or of a manifest that was not named."""
    for profile, wanted in asked.items():
        names = [p.name for p, result in good.items() if p.parent.name == profile and _entry(result.spec) not in wanted]
        if names:
            yield (
                f"{counted(len(names), 'result')} in the folder {profile} that no manifest checked here asks for under "
                f"that profile, so no report of theirs reads it: {some(names)}"
            )


def _entry(spec: TrainSpec | CostSpec) -> str:
    """What a manifest asks for, whatever the seed, the device measured, and the choices laid over a profile."""
    same: dict[str, object] = {"numerics": Numerics()}
    same |= {"device": ""} if isinstance(spec, CostSpec) else {"seed": 0, "choices": Choices()}
    return spec.model_copy(update=same).model_dump_json()


def _listed(folder: Path, out: Verification) -> list[Path]:
    """What can be seen in a folder; one that can't be read is a finding itself."""
    try:
        return [path for path in entries(folder) if not path.name.startswith(".")]
    except OSError as error:
        why = f"can't be read: {reason_of(error)}; its owner can let you (chmod -R a+rX)"
        out.findings.append(Finding(folder, why))
        return []


def _head(name: str) -> str:
    """A run's name without seed and hash: whether a suite reads a file is told without opening it."""
    return words_and_seed(name)[0]
