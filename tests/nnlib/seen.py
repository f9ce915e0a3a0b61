"""What a trace draws, read back from its SVG."""

import xml.etree.ElementTree as ET

from nnlib.show import svg


def marks(trace, step):
    """Each key's elements at a step."""
    pieces = trace.draw(trace.frames[step])
    return {key: list(ET.fromstring(f"<g>{piece}</g>")) for key, piece in pieces.items()}


def numbers(trace, step):
    """What stands in the picture for whoever checks it: {key: [floats]}, where there are any."""
    found = {
        key: [float(mark.get("data-v")) for mark in drawn if mark.get("data-v") is not None]
        for key, drawn in marks(trace, step).items()
    }
    return {key: values for key, values in found.items() if values}


def outside(trace, step):
    """Texts and boxes that stick out of the picture, and texts wider than their cell."""
    left, top, width, height = trace.view
    bad = []
    for key, drawn in marks(trace, step).items():
        cell = None
        for mark in drawn:
            x, y = float(mark.get("x", 0)), float(mark.get("y", 0))
            if mark.tag == "rect":
                cell = float(mark.get("width"))
                right, bottom = x + cell, y + float(mark.get("height"))
            elif mark.tag == "text":
                size, anchor = float(mark.get("font-size")), mark.get("text-anchor")
                wide = svg.width(mark.text, size, "strong" in mark.get("class", ""))
                x -= {"middle": wide / 2, "end": wide}.get(anchor, 0)
                right, bottom = x + wide, y
                if anchor == "middle" and cell and "class" not in mark.attrib and wide > cell:
                    bad.append((key, mark.text, "is wider than its cell"))
                if mark.text.endswith("…"):
                    bad.append((key, mark.text, "is cut"))
            else:
                continue
            if x < left or y < top or right > left + width or bottom > top + height:
                bad.append((key, mark.tag, mark.text, x, y, right, bottom))
    return bad
