"""One Chromium for all tests here, and the pages that it opens; skipped with a reason where it can't be had."""

import importlib.util
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmark.results.store import Store
from tests.places import ROOT
from tests.reports import pages

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
DRIVER = shutil.which("chromedriver")
FIXTURES = ("none", "partial", "complete", "mini")


def missing() -> str | None:
    """What these tests lack here."""
    if CHROMIUM is None or DRIVER is None:
        return "needs chromium and chromedriver (Debian's chromium and chromium-driver)"
    packages = ("selenium", "axe_playwright_python")
    lacking = [name for name in packages if importlib.util.find_spec(name) is None]
    return f"needs the package {lacking[0]}" if lacking else None


@pytest.fixture(scope="session")
def driver() -> Iterator[Any]:
    if reason := missing():
        pytest.skip(reason)
    from selenium import webdriver
    from selenium.common.exceptions import WebDriverException

    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for word in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"):
        options.add_argument(word)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    try:
        browser = webdriver.Chrome(options=options, service=webdriver.ChromeService(str(DRIVER)))
    except WebDriverException as error:
        pytest.skip(f"chromium does not start: {str(error.msg)[:100]}")
    yield browser
    browser.quit()


@pytest.fixture(scope="session")
def sources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The four pages, as files."""
    if reason := missing():
        pytest.skip(reason)
    found = {}
    for name in FIXTURES:
        folder = tmp_path_factory.mktemp(name)
        store: Store = pages.Memory(folder / "results" / "paper")
        if name == "mini":
            store = Store(ROOT / "results" / "mini")
        elif name != "none":
            getattr(pages, name)(store)
        found[name] = folder / "index.html"
        text = pages.page_of(store, "mini" if name == "mini" else "paper", plots=True)
        found[name].write_text(text, encoding="utf-8")
    return found


class Browser:
    """A page in Chromium."""

    def __init__(self, driver: Any, sources: dict[str, Path]) -> None:
        self.driver, self.sources = driver, sources

    def open(self, name: str, address: str = "", *, width: int = 1280, dark: bool = False, script: bool = True) -> None:
        """One of the four pages, from scratch."""
        media = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.cdp("Emulation.setEmulatedMedia", features=media)
        self.cdp("Emulation.setScriptExecutionDisabled", value=not script)
        self.resize(width)
        self.driver.get("about:blank")
        self.driver.get(self.sources[name].as_uri() + address)

    def resize(self, width: int) -> None:
        self.cdp("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 500)

    def cdp(self, method: str, **parameters: Any) -> Any:
        return self.driver.execute_cdp_cmd(method, parameters)

    def run(self, script: str, *arguments: Any) -> Any:
        """What a function's body returns in the page."""
        return self.driver.execute_script(script, *arguments)

    def evaluate(self, expression: str) -> Any:
        """The same past the page's policy, by the debugging protocol; promises are awaited."""
        found = self.cdp("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def press(self, *keys: str) -> None:
        from selenium.webdriver.common.action_chains import ActionChains

        actions = ActionChains(self.driver)
        for key in keys:
            actions.send_keys(key)
        actions.perform()

    def complaints(self) -> list[str]:
        """What the console has said since the last look."""
        return [str(entry["message"]) for entry in self.driver.get_log("browser")]


@pytest.fixture
def browser(driver: Any, sources: dict[str, Path]) -> Iterator[Browser]:
    made = Browser(driver, sources)
    made.complaints()
    yield made
    made.cdp("Emulation.setScriptExecutionDisabled", value=False)
    made.cdp("Emulation.setEmulatedMedia", media="", features=[])
