"""Pictures of a running demo: ``make screenshots`` writes them to the ignored folder screenshots/.

``python -m tests.browser.pictures [URL]`` takes every page in both languages, on a desk and on a
phone, as a visitor and as each of the demo's people. ``--gallery`` takes a chosen few and writes
them to docs/images, for docs/gallery.md and README.
"""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from playwright.sync_api import Browser, Page, sync_playwright

from exchange.management.demo.platform import LOGINS, PASSWORD
from tests.browser.conftest import DESKTOP, FLAGS, PHONE, SCREENSHOTS, find_chromium

ADDRESS: Final = "http://127.0.0.1:8000"
GALLERY: Final = Path(__file__).resolve().parents[2] / "docs" / "images"
LOCALES: Final = {"en": "en-GB", "zh": "zh-CN"}
# Whose pages; behind a space: the first link on the page to an address of this form is followed.
PICTURES: Final = {
    "": (
        *("", "market/", "market/curves/", "market/map/", "market/index/", "market/auctions/"),
        *(r"market/auctions/ /market/auctions/auc_\w+/$", "market/models/"),
        *(r"market/models/ /market/models/[^/]+/$", "apply", "accounts/login/", "time-zone"),
    ),
    "provider": (
        *("desk/", "offers/", "offers/new/", "offers/calendar/", "offers/upload/", "capacity/"),
        *("maintenance/", "equipment/", "contracts/", r"contracts/ /contracts/ctr_\w+/$"),
        *("statements/", r"statements/ /statements/\w+/$", "disputes/", "money/", "notices"),
        *("organization/keys", "organization/members", "organization/webhooks"),
    ),
    "buyer": (
        *("bids/", "bids/new/", r"bids/ /bids/bid_\w+/$", "contracts/"),
        *(r"contracts/ /contracts/ctr_\w+/$", r"contracts/ /contracts/ctr_\w+/$ /resell/$"),
        *("resales/", "projects/", "statements/", r"statements/ /statements/\w+/$"),
        *("money/", "notices"),
    ),
    "operator": (
        *("control/", "control/network/", "control/alarms/", "control/measures/"),
        *("control/watch/", "control/watch/board/concentration/"),
        *("control/watch/board/pivotal/", "control/watch/board/related/"),
        *("control/watch/board/withheld/", "control/watch/board/spike/"),
        *("control/watch/board/spike/ /watch/finding/", "control/watch/cases/"),
        "control/watch/relations/",
    ),
}
LOAD_MS: Final = 60_000
SETTLED_MS: Final = 2_000  # charts draw themselves


class Shot(NamedTuple):
    """A picture of the gallery: whose page, how it is seen, and its name there."""

    name: str
    role: str
    path: str
    language: str = "en"
    phone: bool = False
    dark: bool = False
    press: str = ""  # the name of a button that is pressed first


BID: Final = "bids/new/?kind=block&accelerator=ascend-910b3&quantity=8&hours=4&most=12&origin=guian"
GALLERY_SHOTS: Final = (
    Shot("market", "", "market/"),
    Shot("curves", "", "market/curves/"),
    Shot("map", "", "market/map/"),
    Shot("index", "", "market/index/"),
    Shot("certificate", "", r"market/auctions/ /market/auctions/auc_\w+/$"),
    Shot("models", "", "market/models/"),
    Shot("desk", "provider", "desk/"),
    Shot("calendar", "provider", "offers/calendar/"),
    Shot("equipment", "provider", "equipment/"),
    Shot("bid-new", "buyer", BID, press="preview"),
    Shot("bids", "buyer", "bids/"),
    Shot("statement", "buyer", r"statements/ /statements/\w+/$"),
    Shot("control", "operator", "control/"),
    Shot("watch", "operator", "control/watch/"),
    Shot("finding", "operator", "control/watch/board/spike/ /watch/finding/"),
    Shot("market-zh", "", "market/", language="zh"),
    Shot("watch-zh", "operator", "control/watch/board/concentration/", language="zh"),
    Shot("market-phone", "", "market/", phone=True),
    Shot("desk-phone-zh", "provider", "desk/", language="zh", phone=True),
    Shot("curves-dark", "", "market/curves/", dark=True),
)


def take_pictures(address: str, folder: Path) -> None:
    """Take a picture of every page in every view."""
    folder.mkdir(exist_ok=True)
    with _chromium() as browser:
        for language in LOCALES:
            for phone in (False, True):
                for role, pages in PICTURES.items():
                    view = _View(address, role, language, phone)
                    _take(browser, view, pages, folder)


def take_gallery(address: str, folder: Path) -> None:
    """Take the committed pictures again, what is above the fold, as PNG."""
    with _chromium() as browser:
        for shot in GALLERY_SHOTS:
            view = _View(address, shot.role, shot.language, shot.phone, shot.dark)
            with _page(browser, view) as page:
                _go(page, shot.path)
                if shot.press:
                    page.click(f"button[name={shot.press}]", timeout=LOAD_MS)
                page.wait_for_timeout(SETTLED_MS)
                page.screenshot(path=folder / f"{shot.name}.png", timeout=LOAD_MS)


class _View(NamedTuple):
    address: str
    role: str
    language: str
    phone: bool
    dark: bool = False


def _take(browser: Browser, view: _View, pages: tuple[str, ...], folder: Path) -> None:
    with _page(browser, view) as page:
        for path in pages:
            place = _go(page, path)
            page.wait_for_timeout(SETTLED_MS)
            look = f"{'phone' if view.phone else 'desk'}-{view.language}"
            name = f"demo-{view.role or 'visitor'}-{place}-{look}.png"
            page.screenshot(path=folder / name, full_page=True, timeout=LOAD_MS)
            wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            if wide > 0:
                print(f"{name}: {wide} pixels too wide")  # noqa: T201


def _go(page: Page, path: str) -> str:
    """Go to a page, and on along the links behind it; return what to call the picture."""
    first, *links = path.split(" ")
    page.goto(f"/{first}", timeout=LOAD_MS)
    for link in links:
        page.goto(_first_link(page, link), timeout=LOAD_MS)
    place = first.strip("/").replace("/", "-") or "front"
    return "-".join([place, *(re.sub(r"[^a-z]+", "-", link).strip("-") for link in links)])


@contextmanager
def _chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)
        yield browser
        browser.close()


@contextmanager
def _page(browser: Browser, view: _View) -> Iterator[Page]:
    context = browser.new_context(
        base_url=view.address,
        viewport=PHONE if view.phone else DESKTOP,  # type: ignore[arg-type]
        locale=LOCALES[view.language],
        timezone_id="Asia/Shanghai",
        color_scheme="dark" if view.dark else "light",
    )
    page = context.new_page()
    if view.role:
        _sign_in(page, view.role)
    yield page
    context.close()


def _sign_in(page: Page, role: str) -> None:
    page.goto("/accounts/login/", timeout=LOAD_MS)
    page.fill("input[name=login]", LOGINS[role])
    page.fill("input[name=password]", PASSWORD)
    page.click("main button[type=submit]")
    page.wait_for_load_state(timeout=LOAD_MS)
    assert "/login" not in page.url, f"{LOGINS[role]} cannot sign in at {page.url}"


def _first_link(page: Page, form: str) -> str:
    addresses = (link.get_attribute("href") or "" for link in page.locator("main a").all())
    return next(address for address in addresses if re.search(form, address))


if __name__ == "__main__":
    words = [word for word in sys.argv[1:] if word != "--gallery"]
    at = words[0] if words else ADDRESS
    if "--gallery" in sys.argv:
        take_gallery(at, GALLERY)
    else:
        take_pictures(at, SCREENSHOTS)
