"""A picture of the border of one lesion over the image it was measured on, for the reader who decides."""

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from response.errors import MissingExtraError
from response.imaging.border_map import GRADUAL, KINDS, NOT_JUDGED, RIM, SHARP, BorderMap
from response.imaging.morphology import Suggestion
from response.observed import SuggestedGroup

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito 2008, Color Universal Design: told apart with any colour vision, and none of them a grey of the image.
COLOURS: Final = {SHARP: "#0072B2", GRADUAL: "#E69F00", RIM: "#CC79A7", NOT_JUDGED: "#000000"}
WINDOW_HU: Final = 200  # width; the centre is midway between lesion and liver
ANGLES: Final = 36  # around the lesion, in the unrolled border
LONGEST_NAME: Final = 60  # characters of a name that are shown

_ENDS: Final = (("L", "R"), ("P", "A"), ("H", "F"))  # where x, y and z (LPS) grow, and where they fall
_PLANES: Final = ("sagittal", "coronal", "axial")  # at right angles to x, y and z
_STRAIGHT: Final = 0.95  # cosine of the slant from which on a plane is oblique
_SLANT: Final = 0.3  # a direction is named by a second letter where its part along that axis is at least this


def has_matplotlib() -> bool:
    """Return whether pictures can be drawn."""
    from importlib.util import find_spec

    return find_spec("matplotlib") is not None


def write_picture(group: SuggestedGroup, path: Path) -> None:
    """Draw the border of a lesion as PNG.

    The image alone and with the border over it, on the slice with the largest section and on the two planes at right
    angles to it; beside them the border unrolled, angle around the lesion against slice, and what is suggested.

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    """
    if not has_matplotlib():
        raise MissingExtraError("drawing the border of a lesion", "matplotlib", "plots")
    from matplotlib.figure import Figure

    border = group.suggestion.border
    if border is None:
        raise ValueError("the suggestion carries no map of the border (`with_border`)")
    figure = Figure(figsize=(13, 7.4), layout="constrained")
    grid = figure.add_gridspec(2, 4, width_ratios=(1, 1, 1, 1.25))
    low, high = _window(group)
    for column in range(3):
        view = _View(border, column)
        for row, overlaid in enumerate((False, True)):
            _draw_view(figure.add_subplot(grid[row, column]), view, (low, high), overlaid=overlaid)
    _draw_unrolled(figure.add_subplot(grid[1, 3]), border)
    _write_words(figure.add_subplot(grid[0, 3]), group, (low, high))
    _name(figure, group)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph", UserWarning)  # a name in letters that the font lacks
        figure.savefig(path, format="png", dpi=100)


class _View:
    """A plane through image and labels, as it is shown: `[row, column]` from the top left corner, and its ends."""

    def __init__(self, border: BorderMap, axis: int) -> None:
        down, across = (other for other in range(3) if other != axis)
        self.title = plane_of(border.directions[axis]) + (", largest section" if axis == 0 else "")
        self.image: NDArray[Any] = border.views[axis]
        self.labels: NDArray[Any] = np.take(border.labels, border.cut[axis], axis)
        self.pixel_mm = (float(border.spacing_mm[down]), float(border.spacing_mm[across]))
        self.down, self.across = border.directions[down], border.directions[across]
        if down == 0 and self.down[2] > 0:  # slices that ascend towards the head are shown with the head up
            self.image, self.labels, self.down = self.image[::-1], self.labels[::-1], -self.down


def plane_of(normal: NDArray[Any]) -> str:
    """Return what a plane is called by its normal (LPS), by the nearest plane of the body."""
    nearest = int(np.argmax(np.abs(normal)))
    return ("" if abs(float(normal[nearest])) >= _STRAIGHT else "oblique ") + _PLANES[nearest]


def _draw_view(axes: "Axes", view: _View, window: tuple[float, float], *, overlaid: bool) -> None:
    from matplotlib.colors import to_rgba
    from matplotlib.patheffects import withStroke

    edge = [withStroke(linewidth=2, foreground="black")]
    height, width = (size * step for size, step in zip(view.image.shape, view.pixel_mm, strict=True))
    place = (0.0, width, height, 0.0)
    axes.imshow(view.image, cmap="gray", vmin=window[0], vmax=window[1], extent=place, interpolation="nearest")
    if overlaid:
        colours = np.zeros((len(KINDS) + 1, 4))
        colours[list(COLOURS)] = [to_rgba(colour, 0.85) for colour in COLOURS.values()]
        axes.imshow(colours[view.labels], extent=place, interpolation="nearest")
    else:
        axes.set_title(view.title)
        axes.plot((width - 14, width - 4), (height - 2, height - 2), color="white", linewidth=2, path_effects=edge)
        axes.text(width - 9, height - 3, "1 cm", color="white", ha="center", fontsize=8, path_effects=edge)
    for text, x, y, side in (
        (_letters(-view.across), 0.02, 0.5, "left"),
        (_letters(view.across), 0.98, 0.5, "right"),
        (_letters(-view.down), 0.5, 0.96, "center"),
        (_letters(view.down), 0.5, 0.04, "center"),
    ):
        axes.text(
            x, y, text, transform=axes.transAxes, color="white", ha=side, va="center", fontsize=9, path_effects=edge
        )
    axes.set_axis_off()


def _letters(direction: NDArray[Any]) -> str:
    """Return towards which side of the patient a direction points: `L`, or `LP` where it is slanted."""
    largest = np.argsort(-np.abs(direction), kind="stable")
    return "".join(
        _ENDS[axis][0 if direction[axis] > 0 else 1] for axis in largest if abs(float(direction[axis])) >= _SLANT
    )


def _draw_unrolled(axes: "Axes", border: BorderMap) -> None:
    """Draw the kind that most of the border has at each angle around the lesion, slice by slice."""
    from matplotlib.colors import ListedColormap

    kinds = unrolled(border)
    shown = np.ma.masked_equal(kinds, 0)
    colours = ListedColormap(list(COLOURS.values()))
    axes.pcolormesh(
        np.linspace(0, 360, ANGLES + 1),
        (np.arange(len(kinds) + 1) - 0.5 - border.cut[0]) * border.spacing_mm[0],
        shown,
        cmap=colours,
        vmin=SHARP - 0.5,
        vmax=NOT_JUDGED + 0.5,
    )
    axes.axhline(0, color="black", linewidth=0.8, linestyle=":")
    quarters = (border.directions[2], border.directions[1], -border.directions[2], -border.directions[1])
    axes.set_xticks((0, 90, 180, 270, 360), [_letters(way) for way in (*quarters, quarters[0])])
    upwards = border.directions[0]
    axes.set_ylabel(f"mm from the largest section, {_letters(-upwards)} to {_letters(upwards)}")
    axes.set_xlabel("towards")
    axes.set_title("the border unrolled")
    seen = np.nonzero(kinds.any(axis=1))[0]
    if len(seen):
        axes.set_ylim(
            (seen[0] - 1 - border.cut[0]) * border.spacing_mm[0], (seen[-1] + 1 - border.cut[0]) * border.spacing_mm[0]
        )


def unrolled(border: BorderMap) -> NDArray[np.uint8]:
    """Return the commonest kind of border by slice and angle, `[slice, angle]`; 0 where there is no border.

    The angle is that around the middle of the border on the slice: 0 along the rows, 90 degrees along the columns.
    """
    counts = np.zeros((len(border.labels), ANGLES, len(KINDS) + 1), np.int64)
    for index, labels in enumerate(border.labels):
        rows, columns = np.nonzero(labels)
        if len(rows):
            down = (rows - rows.mean()) * border.spacing_mm[1]
            across = (columns - columns.mean()) * border.spacing_mm[2]
            angle = np.degrees(np.arctan2(down, across)) % 360
            np.add.at(counts[index], ((angle / 360 * ANGLES).astype(np.int64) % ANGLES, labels[rows, columns]), 1)
    return np.asarray(np.argmax(counts, axis=2), np.uint8)


def _window(group: SuggestedGroup) -> tuple[float, float]:
    features = group.suggestion.features
    level = 60.0 if features is None else round((features.core_hu + features.liver_hu) / 2)
    return level - WINDOW_HU / 2, level + WINDOW_HU / 2


def _write_words(axes: "Axes", group: SuggestedGroup, window: tuple[float, float]) -> None:
    from matplotlib.patches import Patch

    axes.set_axis_off()
    border, found = group.suggestion.border, group.suggestion
    shares = {} if border is None else border.shares
    names = [f"{name}: {_percent(shares.get(name, 0))} of the border" for name in KINDS.values()]
    patches = [Patch(color=COLOURS[label], label=name) for label, name in zip(KINDS, names, strict=True)]
    axes.legend(handles=patches, loc="upper left", frameon=False, borderaxespad=0)
    axes.text(0, 0.6, "\n".join(_told(found, window)), va="top", fontsize=9, parse_math=False, linespacing=1.5)


def _percent(share: float) -> str:
    return "unknown" if np.isnan(share) else f"{100 * share:.0f} %"


def _told(found: Suggestion, window: tuple[float, float]) -> Iterator[str]:
    yield f"Suggested Chun group: {found.group}" if found.group is not None else "No Chun group is suggested:"
    votes, features = found.votes, found.features
    if found.group is None or features is None:
        yield found.reason
    else:
        yield f"attenuation {str(votes).partition(';')[0]}"
        yield f"interface {votes.interface}: {_percent(features.sharp_share)} of what could be judged is sharp"
        yield f"rim {votes.rim}: {_percent(features.rim_share)} of what could be judged has one"
    if features is not None:
        yield f"core {features.core_hu:.0f} HU, liver {features.liver_hu:.0f} HU"
        yield f"slices of {features.slice_mm:g} mm"
    yield f"window {window[0]:.0f} to {window[1]:.0f} HU"
    yield "A suggestion, not validated: a reader decides."


def _name(figure: "Figure", group: SuggestedGroup) -> None:
    parts = (group.subject, group.timepoint, group.date, group.lesion)
    shown = (" ".join("".join(c if c.isprintable() else " " for c in part).split()) for part in dict.fromkeys(parts))
    figure.suptitle(", ".join(part[:LONGEST_NAME] for part in shown if part), parse_math=False)
