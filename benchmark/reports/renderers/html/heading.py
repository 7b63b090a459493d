"""The top of the page: what held, how sure, how much was run and on what."""

import re
from collections import Counter
from collections.abc import Sequence

from benchmark.reports.paper import Paper
from benchmark.reports.renderers.html.figures import MINUS
from benchmark.reports.renderers.html.material import Material
from benchmark.reports.renderers.html.model import Progress
from benchmark.reports.sentences import about_claims
from benchmark.reports.standing import short
from benchmark.results.code import UNCOMMITTED
from benchmark.results.store import Result
from benchmark.runs.spec import TrainSpec
from benchmark.wording import counted, one_line, some

#: Where the bold clause of the first sentence ends.
_CLAUSE = re.compile(
    r"(.*?(?:supported\b(?: at profile \S+?)?(?=,)|so far(?: at profile \S+?)?(?=:)|\.))(.*)", re.DOTALL
)


def banner(paper: Paper) -> str:
    """What stands above all else where numbers aren't judged; else nothing."""
    if paper.variant.against_paper:
        return ""
    return f"Profile {paper.variant.reports_name}: {paper.variant.profile.about}"


def first_sentence(paper: Paper) -> tuple[str, str]:
    """The heading: its bold clause and the rest."""
    text = about_claims(paper)
    match = _CLAUSE.match(text)
    return (match[1], match[2]) if match else (text, "")


def progress(paper: Paper) -> Progress:
    """Runs as a bar and in words."""
    done, all_runs = paper.runs["all"]
    failed, whole = paper.failed["all"], max(1, all_runs)
    words = [f"{done} of {counted(all_runs, 'run')}"]
    words += [f"{failed} failed"] if failed else []
    words += [f"{all_runs - done - failed} to do"] if done + failed < all_runs else []
    return Progress(text=", ".join(words), done=round(1000 * done / whole), failed=round(1000 * failed / whole))


def facts(material: Material) -> tuple[tuple[str, str], ...]:
    """Protocol, hardware, newest result, code, what is left."""
    found = [("Protocol", _protocol(material))]
    if material.results:
        found += [
            ("Hardware", _hardware(material.results)),
            ("Newest result", max(map(ended, material.results))[:10] or "unknown"),
            ("Code", _code(material.results)),
        ]
    return (*found, ("Left", left(material.paper)))


def ended(result: Result) -> str:
    """When a run ended, as it was recorded; empty where that is no text."""
    return one_line(result.provenance.end or "", 40)


def _protocol(material: Material) -> str:
    specs = [cell.cell.spec for one in material.suites for cell in one.cells.values()]
    trainings = [spec for spec in specs if isinstance(spec, TrainSpec)]
    epochs = Counter(spec.schedule.epochs for spec in trainings)
    usual = [str(value) for value, _ in epochs.most_common(3)]
    precision = dict.fromkeys(spec.numerics.precision for spec in trainings)
    seeds = max((one.suite.trials for one in material.suites), default=0)
    return f"{' or '.join(usual)} epochs, {' or '.join(precision)}, {counted(seeds, 'seed')}"


def _hardware(results: Sequence[Result]) -> str:
    devices = Counter(device for result in results for device in result.provenance.origin()["device"])
    names = [one_line(name, 80) for name, _ in sorted(devices.items(), key=lambda item: (-item[1], item[0]))]
    return some(names)


def _code(results: Sequence[Result]) -> str:
    names = sorted({short(name) for result in results for name in result.provenance.origin()["code"]})
    dirty = any(UNCOMMITTED in name for name in names)
    known = list(dict.fromkeys(name.removesuffix(UNCOMMITTED) for name in names))
    clean = "some with uncommitted changes" if dirty else "clean"
    if known == ["unknown"]:
        return "unknown"
    return (
        f"{known[0]}, {'with uncommitted changes' if dirty else 'clean'}"
        if len(known) == 1
        else (f"{len(known)} versions, {clean}")
    )


def left(paper: Paper) -> str:
    """What is still to be run; how long that takes on some machine is for ``status`` to say."""
    done, all_runs = paper.runs["all"]
    return f"{counted(all_runs - done, 'run')}; status estimates how long" if done < all_runs else "nothing"


def distances(paper: Paper) -> tuple[str, ...]:
    """How far all trainings together lie from the paper, in one sentence; nothing without any."""
    whole = next((one for one in paper.overalls if one.suite == "all"), None)
    if whole is None or whole.mean_difference is None:
        return ()
    text = f"Over {counted(whole.trainings, 'training')} ours lies {whole.mean_difference:+.2f} points from the paper"
    if whole.interval95:
        low, high = whole.interval95
        text += f" on average, 95 % interval {low:+.2f} to {high:+.2f}"
    text += f" (positive is better than printed): {whole.better} better, {whole.worse} worse."
    inside = f"{whole.covered} of {whole.predicted} cells lie where the paper alone lets us expect our mean."
    return (text.replace("-", MINUS), inside)
