"""The dashboard in a real browser: an operator's way from the login to a revoked key."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.fakes.gateway import RunningGateway
from tests.gateway.admin.dashboards import ADMIN_KEY, dashboard_running

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

CHROMIUM = shutil.which("chromium")
NEEDED = pytest.mark.skipif(CHROMIUM is None, reason="no chromium: apt-get install chromium")
PAGES = {
    "overview": "/admin",
    "activity": "/admin/activity",
    "playground": "/admin/playground",
    "rules": "/admin/rules",
    "models": "/admin/models",
    "keys": "/admin/keys",
    "policies": "/admin/policies",
    "quality": "/admin/quality",
    "settings": "/admin/settings",
    "audit": "/admin/audit",
}
LOOKS = {
    "light": ("light", 1280, 900),
    "dark": ("dark", 1280, 900),
    "phone": ("light", 390, 844),
}
WAIT_MS = 15_000
PROMPT = "Summarize this: the meeting was moved to Friday because the room was taken."


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    """A gateway that answers by simulation."""
    with dashboard_running(tmp_path_factory.mktemp("dashboard")) as running:
        yield running


@pytest.fixture(scope="module")
def chromium() -> Iterator[object]:
    """The browser."""
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(gateway: RunningGateway, chromium) -> Iterator[object]:
    """A page of a browser whose operator is logged in; a script that fails fails the test."""
    context = chromium.new_context(base_url=gateway.url, viewport={"width": 1280, "height": 900})
    context.set_default_timeout(WAIT_MS)
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    page.goto("/admin/rules")
    page.get_by_label("Admin key").fill(ADMIN_KEY)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/admin/rules")
    yield page
    context.close()
    assert faults == []


@pytest.fixture(scope="module")
def shots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where screenshots go: to SWITCHYARD_SCREENSHOTS to be looked at, else to be forgotten."""
    kept = os.environ.get("SWITCHYARD_SCREENSHOTS")
    folder = Path(kept) if kept else tmp_path_factory.mktemp("screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def ask(gateway: RunningGateway, secret: str) -> httpx.Response:
    """One request of a client that lets rules decide."""
    return httpx.post(
        f"{gateway.v1}/chat/completions",
        json={"model": "gpt-4", "messages": [{"role": "user", "content": PROMPT}]},
        headers={"Authorization": f"Bearer {secret}", "x-lockllm-route-action": "custom"},
        timeout=30,
    )


@NEEDED
def test_an_operators_way(gateway: RunningGateway, page, shots: Path) -> None:
    """
    A key is made and a rule published; a request is routed by it, is watched as it comes, and is
    found; the key is revoked and opens nothing any more.
    """
    secret = make_key(page)
    publish_rule(page)
    page.goto("/admin/activity")
    page.get_by_text("Live: new requests appear on top.").wait_for()
    answer = ask(gateway, secret)
    assert answer.status_code == 200
    page.locator("#tail tbody tr", has_text="gpt-4o-mini").wait_for()

    page.goto("/admin/activity?rule=everything-small&key=web")
    stored = page.locator("section", has_text="Stored requests")
    stored.locator("tbody tr").first.wait_for()
    assert stored.locator("tbody tr").count() == 1
    stored.get_by_role("link").first.click()
    page.get_by_text("everything-small", exact=True).first.wait_for()
    assert page.get_by_text("gpt-4o-mini answered, instead of gpt-4").is_visible()
    page.screenshot(path=shots / "decision.png", full_page=True)

    page.goto("/admin/keys")
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Revoke web").click()
    page.get_by_text("Revoked. The key opens nothing any more.").wait_for()
    assert ask(gateway, secret).status_code == 401


def make_key(page) -> str:
    """Make the key ``web``; its secret."""
    page.goto("/admin/keys")
    page.get_by_label("Id", exact=True).first.fill("web")
    page.get_by_role("button", name="Make the key").click()
    return str(page.locator("#secret").inner_text())


def publish_rule(page) -> None:
    """Let gpt-4o-mini answer everything that rules decide."""
    page.goto("/admin/rules")
    page.locator("#rnew-id").fill("everything-small")
    page.locator("#rnew-model").fill("gpt-4o-mini")
    page.get_by_role("button", name="Add to the draft").click()
    page.get_by_text("Saved.", exact=True).wait_for()
    page.get_by_role("button", name="Publish").click()
    page.get_by_text("The rules hold from now on.").wait_for()


@NEEDED
def test_the_playground_answers(page, shots: Path) -> None:
    """A prompt is decided on and sent; the answer and every candidate are shown."""
    page.goto("/admin/playground")
    page.get_by_label("Prompt", exact=True).fill("Say hello in French.")
    page.get_by_role("button", name="Decide and send").click()
    page.get_by_role("heading", name="Answer").wait_for()
    page.screenshot(path=shots / "playground-answer.png", full_page=True)

    assert "simulated answer" in page.locator("pre.wrap").inner_text()
    assert page.locator("tr.won").count() == 1


@NEEDED
def test_a_provider_key_and_a_webhook_are_kept_changed_and_tried(page, shots: Path) -> None:
    """The key gets another weight, the webhook a test event; neither secret is seen again."""
    page.goto("/admin/keys")
    page.get_by_text("New provider key").click()
    page.locator("#k-secret").fill("sk-proj-0123456789abcdefghijWXYZ")
    page.get_by_role("button", name="Keep the key").click()
    page.get_by_text("Created.", exact=True).wait_for()
    page.screenshot(path=shots / "keys-with-provider-key.png", full_page=True)
    page.locator("section", has_text="Provider keys of tenants").locator("tbody a").click()
    page.get_by_label("Weight").fill("2.5")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Saved.", exact=True).wait_for()
    page.screenshot(path=shots / "provider-key.png", full_page=True)
    key = page.url.partition("?")[0]
    assert page.get_by_label("Weight").input_value() == "2.5"
    assert page.get_by_label("New secret").input_value() == ""

    page.goto("/admin/settings")
    page.get_by_text("New webhook").click()
    page.locator("#w-url").fill("https://hooks.example/switchyard")
    page.get_by_role("button", name="Make the webhook").click()
    page.goto("/admin/settings")
    page.get_by_role("button", name="Send a test event").click()
    page.get_by_text("A test event is on its way.").wait_for()
    page.screenshot(path=shots / "settings-with-webhook.png", full_page=True)
    page.set_viewport_size({"width": 390, "height": 844})
    for path in ("/admin/settings", "/admin/keys", key):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path
    page.screenshot(path=shots / "provider-key-phone.png", full_page=True)


@NEEDED
@pytest.mark.parametrize("look", LOOKS)
def test_every_page_fits_its_window(page, shots: Path, look: str) -> None:
    """Light, dark and on a phone: no page is wider than the window; each is kept as a picture."""
    scheme, width, height = LOOKS[look]
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": height})
    for name, path in PAGES.items():
        page.goto(path)
        page.screenshot(path=shots / f"{name}-{look}.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name


@NEEDED
def test_the_keyboard_reaches_the_content(page) -> None:
    """The first stop of the tabulator leads past the menu, and the focus is seen."""
    page.goto("/admin/keys")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#content"
    page.keyboard.press("Tab")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"


@NEEDED
def test_pages_work_without_scripts(gateway: RunningGateway, chromium) -> None:
    """A browser that runs none logs in, filters and revokes all the same."""
    context = chromium.new_context(base_url=gateway.url, java_script_enabled=False)
    page = context.new_page()
    page.goto("/admin/login")
    page.fill("#key", ADMIN_KEY)
    page.click("button")
    page.goto("/admin/activity")
    page.select_option("#f-tier", "low")
    page.click("button.main")

    assert "tier=low" in page.url
    assert page.get_by_role("link", name="Refresh").is_visible()
    context.close()


CONTRASTS = """
() => {
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const rgb = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((c) => {
      c /= 255;
      return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const ground = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const colour = rgb(getComputedStyle(e).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return [255, 255, 255, 255];
  };
  const poor = [];
  for (const e of document.querySelectorAll("body *")) {
    const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    if (!own || !e.checkVisibility() || e.closest("svg")) continue;
    const [a, b] = [light(rgb(getComputedStyle(e).color)), light(ground(e))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) poor.push(`${e.tagName}.${e.className} ${ratio.toFixed(2)}`);
  }
  return [...new Set(poor)];
}
"""


@NEEDED
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_contrast(page, scheme: str) -> None:
    """At least 4.5 to 1 between every text and what is behind it, as WCAG AA asks."""
    page.emulate_media(color_scheme=scheme)
    for name, path in PAGES.items():
        page.goto(path)
        assert page.evaluate(CONTRASTS) == [], name
