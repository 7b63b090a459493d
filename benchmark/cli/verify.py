"""``verify``: can what lies on disk be trusted?"""

import json
import sys
from pathlib import Path

import click

from benchmark.audit.verify import Finding
from benchmark.audit.verify import verify as verify_all
from benchmark.cli.options import json_option, results_option, suites_argument
from benchmark.cli.output import say
from benchmark.results.store import Store
from benchmark.suites.manifest import find_manifests, suite_names
from benchmark.system.files import shown
from benchmark.wording import counted


@click.command()
@suites_argument
@results_option
@click.option("--set-aside", is_flag=True, help="Move damaged results to damaged/, so that they are trained again.")
@json_option
def verify(suites: tuple[str, ...], results_dir: Path, set_aside: bool, form: str) -> None:
    """Check every result file, and every manifest against itself; with suites named, just theirs.

    Ends with 1 where something was found; notes are no findings. Nothing is ever deleted: --set-aside moves what is
    damaged to RESULTS_DIR/PROFILE/damaged.

    For example: run_suite.py verify table1 --set-aside
    """
    manifests = find_manifests(list(suites) or suite_names())
    done = verify_all(results_dir, manifests, everything=not suites)
    moved = set_findings_aside(done.findings, results_dir) if set_aside else {}
    if form == "json":
        findings = [
            {
                "file": str(finding.path),
                "problem": finding.problem,
                "damaged": finding.damaged,
                "moved_to": str(moved[finding.path]) if finding.path in moved else None,
            }
            for finding in done.findings
        ]
        counts = {"manifests": done.manifests, "results": done.results, "damaged": len(_damaged(done.findings))}
        click.echo(json.dumps({**counts, "findings": findings, "notes": done.notes}, indent=1))
    else:
        _say(done.findings, moved)
        for note in done.notes:
            say(f"note: {note}")
        found = counted(len(done.findings), "finding") if done.findings else "all is well"
        checked = f"{counted(done.manifests, 'manifest')} and {counted(done.results, 'result')} checked"
        say(f"{checked}: {found}")
    sys.exit(1 if done.findings else 0)


def set_findings_aside(findings: list[Finding], results_dir: Path) -> dict[Path, Path]:
    """Move the damaged files; where each one went."""
    moved = {}
    for finding in _damaged(findings):
        store = Store(results_dir / finding.path.relative_to(results_dir).parts[0])
        if target := store.set_aside(finding.path):
            moved[finding.path] = target
    return moved


def _damaged(findings: list[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.damaged]


def _say(findings: list[Finding], moved: dict[Path, Path]) -> None:
    for finding in findings:
        say(f"{shown(finding.path)}: {finding.problem}")
        if finding.path in moved:
            say(f"set aside as {shown(moved[finding.path])}")
    if _damaged(findings) and not moved:
        click.echo("verify --set-aside moves damaged results to damaged/; the next run trains them again.")
