"""The pictures of the pages are what the pages show."""

from __future__ import annotations

from base64 import b64encode

from palette_png import with_palette
from playwright.sync_api import Page
from take_pictures import FOLDER, PICTURES

# Sixteen colours in stripes, a gradient that needs every filter of PNG, and text.
SHOWN = """<body style="margin:0;background:linear-gradient(90deg,#fff,#e0e0e0)">
<p style="color:#8f1d14">Text</p><div style="height:40px;background:repeating-linear-gradient(#0b4f6c 0 4px,#fff5dc 4px 9px)">"""
LARGEST_DIFFERENCE = """async ([one, other]) => {
  const pixels = async (png) => {
    const picture = new Image();
    picture.src = `data:image/png;base64,${png}`;
    await picture.decode();
    const canvas = new OffscreenCanvas(picture.width, picture.height).getContext('2d');
    canvas.drawImage(picture, 0, 0);
    return canvas.getImageData(0, 0, picture.width, picture.height).data;
  };
  const [before, after] = [await pixels(one), await pixels(other)];
  return before.length === after.length ? before.reduce((most, value, n) => Math.max(most, Math.abs(value - after[n])), 0) : -1;
}"""


def test_a_picture_with_a_palette_shows_the_same(page: Page) -> None:
    page.set_content(SHOWN)
    screenshot = page.screenshot(clip={"x": 0, "y": 0, "width": 300, "height": 100})
    smaller = with_palette(screenshot)
    both = [b64encode(png).decode() for png in (screenshot, smaller)]
    assert 0 <= page.evaluate(LARGEST_DIFFERENCE, both) <= 8


def test_every_picture_that_is_taken_is_there_and_no_other() -> None:
    assert sorted(path.stem for path in FOLDER.iterdir()) == sorted(picture.name for picture in PICTURES)
