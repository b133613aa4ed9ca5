"""The static files of the page, over HTTP."""

import pytest

from tests.api.server import ServerProcess

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    "path", ["/", "/operations", "/web/style.css", "/web/page.js", "/web/capture-worklet.js", "/web/uplot/uPlot.min.js"]
)
def test_the_page_comes_with_its_policy_and_is_asked_for_again(server: ServerProcess, path: str) -> None:
    status, body, headers = server.request("GET", path, None)
    assert status == 200
    assert body
    assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["permissions-policy"] == "microphone=(self), display-capture=(self)"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cache-control"] == "no-cache"
    assert server.request("GET", path, None, if_none_match=headers["etag"])[0] == 304


@pytest.mark.parametrize("path", ["/web/", "/web/nothing.js", "/web/../api/app.py", "/web/%2e%2e/api/app.py"])
def test_nothing_else_is_served(server: ServerProcess, path: str) -> None:
    assert server.get(path)[0] == 404


@pytest.mark.parametrize(("path", "module"), [("/", "web/page.js"), ("/operations", "web/operations/page.js")])
def test_a_page_loads_nothing_from_elsewhere_and_has_no_inline_code(
    server: ServerProcess, path: str, module: str
) -> None:
    page = server.get(path)[1]
    assert "//" not in page.replace("https://", "//").split("<body")[0]
    assert "style=" not in page
    assert page.count("<script") == page.count(f'<script type="module" src="{module}"></script>') == 1
