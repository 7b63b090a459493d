"""The page in a browser: for a keyboard, a phone, a printer and a screen reader, with and without JavaScript."""

import base64
import html
import re
from importlib.resources import files
from typing import Any

import pytest

from .conftest import FIXTURES, Browser

PANEL = "table1/ResNet-110/SFE-SI"


def audit(browser: Browser) -> list[str]:
    """Everything that axe-core holds against the page as it stands."""
    if not browser.evaluate("typeof axe === 'object'"):
        browser.evaluate((files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8") + "; 1")
    options = "{resultTypes: ['violations'], iframes: false}"
    found = browser.evaluate(
        f"axe.run(document, {options}).then(r => r.violations.map(v => [v.id, v.help, v.nodes[0].html]))"
    )
    return [": ".join(violation) for violation in found]


@pytest.mark.parametrize(
    ("name", "width", "dark"),
    [(name, *how) for name in FIXTURES for how in ((1280, False), (360, True)) if (name, how[1]) != ("complete", True)],
)
def test_nothing_stands_in_a_screen_readers_way(browser: Browser, name: str, width: int, dark: bool) -> None:
    browser.open(name, width=width, dark=dark)
    assert audit(browser) == []


@pytest.mark.parametrize(("width", "dark"), [(1280, True), (360, False)])
def test_nor_does_an_open_panel(browser: Browser, width: int, dark: bool) -> None:
    browser.open("partial", f"#{PANEL}", width=width, dark=dark)
    assert browser.run("return document.getElementById('drawer').open")
    assert audit(browser) == []


@pytest.mark.parametrize("name", FIXTURES)
def test_nothing_but_boxes_made_for_it_scrolls_sideways(browser: Browser, name: str) -> None:
    browser.open(name)
    for width in (320, 360, 768, 1280):
        browser.resize(width)
        assert browser.run("return document.documentElement.scrollWidth") <= width


def test_text_is_large_and_targets_are_wide_enough(browser: Browser) -> None:
    for width in (360, 1280):
        browser.open("partial", width=width)
        small = browser.run(
            "return [...document.querySelectorAll('body *')].filter(e => [...e.childNodes].some(n => n.nodeType === 3 "
            "&& n.data.trim()) && !e.closest('svg.plot, script') && parseFloat(getComputedStyle(e).fontSize) < 12)"
            ".map(e => e.outerHTML.slice(0, 80))"
        )
        assert small == []
        low = browser.run(
            "return [...document.querySelectorAll('button, summary, nav a, .grid a, a.cell, input[type=search]')]"
            ".filter(e => e.offsetParent && e.getBoundingClientRect().height < 24).map(e => e.outerHTML.slice(0, 80))"
        )
        assert low == []


def test_the_file_is_all_that_is_loaded_and_the_console_stays_empty(browser: Browser) -> None:
    browser.open("complete", f"#{PANEL}")
    browser.run("document.getElementById('close').click()")
    assert browser.run("return performance.getEntriesByType('resource').length") == 0
    assert browser.complaints() == []


def test_what_a_crashed_program_wrote_is_text(browser: Browser) -> None:
    browser.open("partial")
    assert browser.run("return document.images.length") == 0
    assert "<img src=x onerror=alert(1)>" in browser.run(
        "return document.getElementById('runs').parentElement.textContent"
    )


def test_without_javascript_every_cell_can_be_read(browser: Browser) -> None:
    browser.open("partial")
    told = "document.querySelector('main').textContent"
    with_script = browser.evaluate(told)
    browser.open("partial", f"#{PANEL}", script=False)
    assert browser.evaluate(told) == with_script
    assert browser.evaluate(f"document.getElementById({PANEL!r}).getBoundingClientRect().height") > 100, "it is open"
    places = re.findall(r'class="cell at" href="#([^"]*)"', browser.sources["partial"].read_text(encoding="utf-8"))
    ids = [html.unescape(place) for place in places]
    assert len(ids) > 40
    assert browser.evaluate(f"{ids!r}.every(id => document.getElementById(id))")


def panel(browser: Browser) -> str | None:
    found: Any = browser.run(
        "const d = document.getElementById('drawer'), p = d.querySelector('.panel');"
        "return d.open ? (p ? p.id : 'nothing') : null"
    )
    return None if found is None else str(found)


def test_an_address_opens_its_panel_and_back_closes_it(browser: Browser) -> None:
    browser.open("partial")
    cell = f'a.cell[href="#{PANEL}"]'
    browser.run(f"document.querySelector('{cell}').click()")
    assert panel(browser) == PANEL
    assert browser.run("return location.hash") == f"#{PANEL}"
    browser.driver.back()
    assert panel(browser) is None
    browser.driver.forward()
    assert panel(browser) == PANEL
    from selenium.webdriver.common.keys import Keys

    browser.press(Keys.ESCAPE)
    assert panel(browser) is None
    assert browser.run("return document.activeElement.hash") == f"#{PANEL}", "focus returns to the cell"
    home = f"document.getElementById({PANEL!r}).closest('details.one')"
    assert browser.run(f"return Boolean({home})"), "the body is back in the table's list"


def test_short_and_unknown_addresses(browser: Browser) -> None:
    browser.open("partial", "#table1/ResNet-110/SI")
    assert panel(browser) == PANEL
    browser.open("partial", "#table1/ResNet-999/SI")
    assert panel(browser) == "nothing"
    assert "no such cell" in browser.run("return document.getElementById('missing').innerText")


def test_filters_dim_and_hide_and_stand_in_the_address(browser: Browser) -> None:
    browser.open("partial", "#?v=lower,higher&q=pyramid")
    rows = "return [...document.querySelectorAll('table.big tbody tr:not([hidden]) th')].map(e => e.textContent)"
    assert browser.run(rows) == ["PyramidNet"]
    shown = browser.run("return document.getElementById('shown').textContent")
    assert re.match(r"showing \d of 1\d\d cells show all", shown)
    browser.run("document.querySelector('#shown button').click()")
    assert len(browser.run(rows)) > 20
    assert browser.run("return location.hash") == ""
    browser.run("const q = document.getElementById('q'); q.value = 'zzz'; q.dispatchEvent(new Event('input'))")
    assert "No cell is like that" in browser.run("return document.getElementById('shown').textContent")
    assert browser.run("return location.hash") == "#?q=zzz"


def test_every_key_does_what_the_list_says(browser: Browser) -> None:
    from selenium.webdriver.common.keys import Keys

    browser.open("partial")
    at = "return document.activeElement.id || document.activeElement.hash"
    for key, place in (("c", "claims"), ("g", "cells"), ("r", "runs"), ("f", "figure4"), ("3", "table3"), ("/", "q")):
        browser.press(key)
        assert browser.run(at) == place, key
    browser.press("j")
    assert browser.run("return document.getElementById('q').value") == "j", "no key where text is typed"
    browser.open("partial")
    browser.press("j", "j")
    second = browser.run(at)
    browser.press("k", "j", Keys.ENTER)
    assert f"#{panel(browser)}" == second
    browser.press("]")
    third = panel(browser)
    assert f"#{third}" not in (second, None)
    browser.press("[")
    assert f"#{panel(browser)}" == second
    browser.press(Keys.ESCAPE, "t")
    assert browser.run("return document.documentElement.dataset.theme") == "dark"
    browser.press("?")
    assert browser.run("return document.getElementById('keys').open")
    browser.run("document.getElementById('keyson').click(); document.getElementById('keysclose').click()")
    browser.press("t")
    assert browser.run("return document.documentElement.dataset.theme") == "dark", "keys are off"
    browser.run("localStorage.clear()")


def test_the_grid_is_one_stop_a_table_with_arrows_inside(browser: Browser) -> None:
    from selenium.webdriver.common.keys import Keys

    browser.open("partial")
    stops = "return [...document.querySelectorAll('.grid')].map(g => g.querySelectorAll('a[tabindex=\"0\"]').length)"
    assert browser.run(stops) == [1] * 8
    browser.run("document.querySelector('.grid a').focus()")
    browser.press(Keys.ARROW_RIGHT, Keys.ARROW_DOWN)
    assert browser.run("return document.activeElement.hash") == "#table1/ResNet-164/SFE-SI"
    assert browser.run(stops) == [1] * 8


def test_a_whole_paper_loads_quickly_enough(browser: Browser) -> None:
    took = []
    for _ in range(5):
        browser.open("complete")
        took.append(browser.run("const t = performance.timing; return t.domContentLoadedEventEnd - t.navigationStart"))
    assert browser.run("return document.querySelectorAll('*').length") <= 15_000
    assert sorted(took)[2] <= 1500, "300 ms on a machine of its own; five times that on one that others use"


@pytest.mark.parametrize("name", ["partial", "complete"])
def test_a_printed_page_has_every_verdicts_word(browser: Browser, name: str) -> None:
    browser.open(name)
    pdf = base64.b64decode(browser.cdp("Page.printToPDF", paperWidth=8.27, paperHeight=11.69)["data"])
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) <= 25
    browser.cdp("Emulation.setEmulatedMedia", media="print", features=[])
    text = browser.run("return document.body.innerText")
    for word in ("reproduced", "higher", "lower", "inconclusive", "outside", "supported", "undecided"):
        assert word in text
    assert browser.run("return getComputedStyle(document.querySelector('nav')).display") == "none"
    assert browser.run("return getComputedStyle(document.querySelector('td .vh')).position") == "static"
