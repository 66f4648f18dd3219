"""How far a length is from a threshold, as a text with exact numbers."""

from response.cells import thousandths_text


def pr_at_most_um(baseline_um: int, tenths: int) -> int:
    """Return the largest sum that is `tenths` tenths of the baseline or less, whole micrometres."""
    return tenths * baseline_um // 10


def grown_from_um(reference_um: int, tenths: int, step_um: int) -> int:
    """Return the smallest sum that is `tenths` tenths of a reference, and a step over it; whole micrometres."""
    return max(-(-tenths * reference_um // 10), reference_um + step_um)


def mm(length_um: int) -> str:
    """Return a length in mm as people write it."""
    return thousandths_text(length_um)


def at_most(name: str, limit_um: int, now_um: int) -> str:
    """Tell how far a sum is above the largest one that reaches a response."""
    told = "reached" if now_um <= limit_um else f"{mm(now_um - limit_um)} mm away"
    return f"{name} at {mm(limit_um)} mm or less: {told}"


def at_least(name: str, limit_um: int, now_um: int, why: str, of: str = "") -> str:
    """Tell how far a sum (`of` what, where it is not that of the targets) is below the smallest that progresses."""
    told = "reached" if now_um >= limit_um else f"{mm(limit_um - now_um)} mm away"
    return f"{name} at {mm(limit_um)} mm{of} or more: {told} ({why})"
