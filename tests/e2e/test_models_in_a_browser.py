"""A model's life in a real browser: up in parts, put to work, converted, and deleted."""

import hashlib
from pathlib import Path

import onnx
import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from tests.e2e.browsing import watch_for_problems
from tests.e2e.running import RunningOmma
from tests.engine.detect.tiny_onnx import tiny_model

pytestmark = [pytest.mark.e2e, pytest.mark.browser]


@pytest.fixture
def large_file(tmp_path: Path) -> Path:
    """Return a model that takes three parts."""
    model = tiny_model()
    model.doc_string = "x" * (5 << 20)
    path = tmp_path / "squares.onnx"
    onnx.save(model, str(path))
    return path


def begin_upload(page: Page, file: Path, name: str) -> None:
    page.goto("/app/models/add/")
    page.get_by_label("File").set_input_files(file)
    page.get_by_label("Name").fill(name)
    page.get_by_label("Licence").fill("MIT")
    page.get_by_role("button", name="Upload").press("Enter")


def test_a_model_goes_up_in_parts_works_is_converted_and_goes(
    context: BrowserContext, omma: RunningOmma, large_file: Path, tmp_path: Path
) -> None:
    page = context.new_page()
    sent: list[str] = []

    def lose_the_second_part(route: Route) -> None:
        if route.request.method != "PATCH":
            route.continue_()
            return
        offset = route.request.headers["upload-offset"]
        sent.append(offset)
        if len(sent) == 2:
            route.abort()
        else:
            route.continue_()

    page.route("**/api/v1/model-uploads/**", lose_the_second_part)
    begin_upload(page, large_file, "Squares")
    expect(page.get_by_role("heading", name="Squares", level=1)).to_be_visible(timeout=60_000)
    digest = hashlib.sha256(large_file.read_bytes()).hexdigest()
    expect(page.get_by_text(digest)).to_be_visible()
    assert sent[:3] == ["0", sent[1], sent[1]]

    # To work on a camera, by keys.
    page.get_by_text("Put it on a camera").focus()
    page.keyboard.press("Enter")
    page.get_by_label("Camera", exact=True).select_option(label="Virtual yard")
    page.get_by_role("checkbox", name="green").press("Space")
    page.get_by_role("button", name="Start").press("Enter")
    page.wait_for_url("**/app/cameras/*/")
    analytic = page.locator("aside li", has=page.get_by_role("heading", name="Squares"))
    expect(analytic).to_be_visible()

    # What is at work is kept.
    page.goto("/app/models/")
    expect(page.locator("li", has_text="Squares")).to_contain_text("At work on Virtual yard")
    page.get_by_role("link", name="Squares").click()
    expect(page.get_by_text("It cannot be deleted while it is at work on Virtual yard.")).to_be_visible()
    page.get_by_role("link", name="Virtual yard").click()
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Take Squares off").click()
    expect(analytic).to_have_count(0)

    # Another format, while the page looks on and what was unfolded stays so.
    page.goto("/app/models/")
    page.get_by_role("link", name="Squares").click()
    page.get_by_text("Default parameters").click()
    page.get_by_text("Make another format").click()
    page.get_by_role("button", name="half precision").click()
    page.get_by_text("Default parameters").click()
    download = page.get_by_role("link", name="Download")
    expect(download).to_be_visible(timeout=60_000)
    expect(page.get_by_label("Least score")).to_be_visible()
    with page.expect_download() as arriving:
        download.click()
    arriving.value.save_as(tmp_path / "half.onnx")
    half = hashlib.sha256((tmp_path / "half.onnx").read_bytes()).hexdigest()
    expect(page.get_by_text(half)).to_be_visible()

    page.get_by_label("Type the model's name").fill("Squares")
    page.get_by_role("button", name="Delete this model").click()
    page.wait_for_url("**/app/models/")
    expect(page.get_by_role("link", name="Squares")).to_have_count(0)
    page.close()


def test_a_file_that_is_no_model_is_refused_in_words(context: BrowserContext, tmp_path: Path) -> None:
    page = context.new_page()
    problems = watch_for_problems(page)
    file = tmp_path / "cat.onnx"
    file.write_bytes(b"no model" * 100)

    begin_upload(page, file, "Cat")

    problem = page.get_by_role("alert").filter(has_text="This was not taken:")
    expect(problem).to_contain_text("This model cannot be used:")
    expect(problem).to_be_focused()
    expect(page.get_by_label("Name")).to_have_value("Cat")
    expect(page.get_by_role("button", name="Upload")).to_be_enabled()
    assert [one for one in problems if "status of 400" not in one] == []
    page.close()


def test_an_upload_is_stopped_and_leaves_nothing(page: Page, large_file: Path) -> None:
    page.route(
        "**/api/v1/model-uploads/*/",
        lambda route: None if route.request.method == "PATCH" else route.continue_(),  # never answered
    )
    begin_upload(page, large_file, "Stopped")
    expect(page.get_by_text("MB sent")).to_be_visible()

    page.get_by_role("button", name="Stop").click()

    expect(page.get_by_role("button", name="Upload")).to_be_enabled()
    page.unroute_all()
    page.goto("/app/models/")
    expect(page.get_by_text("Stopped")).to_have_count(0)
