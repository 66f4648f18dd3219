"""What a criterion gives must be of the kind and shape that is asked for: numpy would spread it over other subjects."""

from collections.abc import Collection, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.errors import CriterionError

_SHAPE: Final = "[series, timepoint]"
_WHOLE: Final = "iu"  # kinds of numpy types


def flags_of(rule: str, found: Any, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Return what a rule gives, by the name of the rule.

    Raises
    ------
    CriterionError
        If it is no array of booleans in the shape of the block.
    """
    if isinstance(found, np.ndarray) and found.dtype == np.bool_ and found.shape == shape:
        return found
    raise CriterionError(f"the rule {rule} gives {_told(found)}; expected an array of bool, {_SHAPE} {shape}")


def numbers_of(declared: Collection[str], found: Any, shape: tuple[int, int]) -> Mapping[str, NDArray[np.int64]]:
    """Return the numbers of a criterion, as it declares them by name.

    Raises
    ------
    CriterionError
        If one is missing, unknown, of another shape than the block or not whole; all faults are told at once.
    """
    given: Mapping[str, Any] = found if isinstance(found, Mapping) else {}
    faults = [] if isinstance(found, Mapping) else [f"gives {_told(found)}; expected a dict of arrays by name"]
    faults += [f"gives no '{name}', which `numbers` declares" for name in declared if name not in given]
    faults += [f"gives '{name}', which `numbers` does not declare" for name in given if name not in declared]
    for name, values in given.items():
        if not isinstance(values, np.ndarray) or values.shape != shape:
            faults.append(f"gives {_told(values)} for '{name}'; expected an array {_SHAPE} {shape}")
        elif values.dtype.kind not in _WHOLE:
            faults.append(f"gives {values.dtype} for '{name}'; expected whole thousandths of its unit, as int64")
    if faults:
        raise CriterionError(f"values() {'; it '.join(faults)}")
    return given


def _told(found: Any) -> str:
    if isinstance(found, np.ndarray):
        return f"{found.dtype} of shape {found.shape}"
    return f"an object of type {type(found).__name__}"
