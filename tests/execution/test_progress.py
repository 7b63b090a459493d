import re
from io import StringIO

import pytest
from rich.console import Console

from benchmark.execution.progress import LiveView, PlainView, make_view
from benchmark.system.terminal import live_console


def plain(every_s: float = 60.0) -> tuple[PlainView, list[str]]:
    out: list[str] = []
    return PlainView(out.append, every_s), out


def test_plain_lines() -> None:
    view, out = plain()
    name = "cifar100-resnet110-sfe-s0-0123456789ab-a-name-longer-than-the-console-is-wide"
    view.total(0, 2, 0.0, None)
    view.started(name)
    view.moved(name, 0.5, "epoch 1/2")
    view.total(1, 2, 0.5, 200)
    view.ended(name, "completed")
    view.ended(name, "completed", "single 76.54 %, 3 min 20 s")
    view.close()
    assert out == [
        f"     started {name}",
        f"   completed {name} (1/2 runs, 50 %, 3 min 20 s left)",
        f"   completed {name}  single 76.54 %, 3 min 20 s (1/2 runs, 50 %, 3 min 20 s left)",
    ]


def test_plain_lines_show_brackets_as_they_are() -> None:
    view, out = plain()
    view.ended("run", "failed without a record: can't open [/tmp/x] [red]")
    assert "can't open [/tmp/x] [red]" in out[0]


def test_plain_lines_now_and_then() -> None:
    view, out = plain(every_s=0.0)
    view.total(0, 2, 0.25, 61)
    assert out == ["     running (0/2 runs, 25 %, 1 min 01 s left)"]
    view, out = plain()
    for _ in range(100):
        view.total(0, 2, 0.25, 61)
    assert out == []


def live() -> tuple[LiveView, StringIO]:
    out = StringIO()
    return LiveView(Console(file=out, force_terminal=True, width=120, color_system="truecolor")), out


def text_of(out: StringIO) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", out.getvalue())


def test_live_bars() -> None:
    view, out = live()
    try:
        view.total(0, 2, 0.0, None)
        for name in ("run-a", "run-b"):
            view.started(name)
            view.moved(name, 0.5, "epoch 1/2")
        view.total(0, 2, 0.5, 90)
        view.bars.refresh()
        assert "run-a" in text_of(out)
        assert "epoch 1/2" in text_of(out)
        assert "0/2 runs, 1 min 30 s left" in text_of(out)
        view.ended("run-a", "completed", "single [76.54] %")
        view.ended("run-b", "diverged")
        view.started("run-b")  # taken up again
        view.ended("run-b", "interrupted")
        assert not view.tasks
        assert len(view.bars.tasks) == 1
    finally:
        view.close()
    lines = [line.strip() for line in text_of(out).splitlines()]
    for wanted in ("completed run-a  single [76.54] %", "diverged run-b", "interrupted run-b"):
        assert wanted in lines


@pytest.mark.parametrize("outcome", ["can't open [/tmp/x]", "an [odd] word", "[Errno 28] full"])
def test_live_lines_show_brackets_as_they_are(outcome: str) -> None:
    view, out = live()
    try:
        view.started("run")
        view.ended("run", f"failed without a record: {outcome}")
    finally:
        view.close()
    assert outcome in text_of(out)


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_terminal_gets_bars_and_a_log_gets_lines(monkeypatch: pytest.MonkeyPatch, stream: str) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")  # as many a CI system does
    monkeypatch.setenv("TERM", "xterm")
    out = StringIO()
    monkeypatch.setattr(f"sys.{stream}", out)
    assert live_console(stderr=stream == "stderr") is None
    monkeypatch.setattr(out, "isatty", lambda: True)
    assert live_console(stderr=stream == "stderr") is not None
    monkeypatch.setenv("TERM", "dumb")
    assert live_console(stderr=stream == "stderr") is None


def test_a_log_gets_no_cursor_movements(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert isinstance(make_view(print), PlainView)


def test_what_a_worker_says_moves_no_cursor() -> None:
    view, out = live()
    try:
        view.started("run")
        before = out.getvalue()
        view.moved("run", 0.5, "\x1b]0;owned\x07\x9b2J[red]")
        view.bars.refresh()
        view.ended("run", "failed: \x1b]0;owned\x07\x9b2J")
    finally:
        view.close()
    assert "owned" in out.getvalue()[len(before) :]
    assert not re.search("\x07|\x9b|\x1b]", out.getvalue())
