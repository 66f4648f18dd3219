"""What the Choi criteria leave open: of all of them, and of those that compare attenuation."""

from dataclasses import dataclass
from typing import Final

from response.criteria.attenuation import ATTENUATION, Comparison
from response.protocol import BestResponseOptions, option

AGGREGATIONS: Final = ("mean_of_lesion_means", "area", "volume", "per_lesion")


@dataclass(frozen=True, kw_only=True)
class ChoiFamilyOptions(BestResponseOptions):
    """What the Choi criteria leave open, whatever they compare beside size."""

    choi_pd_reference: str = option(
        "nadir", "reference of growth: nadir (later practice) or baseline (original)", choices=("nadir", "baseline")
    )
    choi_pr_logic: str = option("or", "PR by size or attenuation; both for modified Choi", choices=("or", "and"))
    choi_node_axis: str = option(
        "recist_1.1", "diameter of nodes: short axis (RECIST 1.1) or longest (RECIST 1.0)",
        choices=("recist_1.1", "longest"),
    )  # fmt: skip
    choi_nt_pd: bool = option(
        True, "whether obvious progression of non-targets is PD (else it only blocks PR)", choices=(True, False)
    )

    @property
    def comparison(self) -> Comparison:
        """What is compared with baseline beside size, and how."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class ChoiOptions(ChoiFamilyOptions):
    """Every point that the Choi criteria leave open, with the default and why."""

    choi_hu_aggregation: str = option(
        "mean_of_lesion_means",
        "attenuation over several lesions: mean of the lesions' means, weighted, or each lesion and the worst",
        choices=AGGREGATIONS,
    )
    choi_phase_mismatch: str = option(
        "ne", "another contrast phase than at baseline: attenuation not evaluable, or a warning", choices=("ne", "warn")
    )
    choi_min_base_hu: int = option(10, "attenuation at baseline below which a change has no meaning, HU", minimum=1)

    @property
    def comparison(self) -> Comparison:
        """Attenuation, in the same contrast phase."""
        return Comparison(
            quantity=ATTENUATION,
            aggregation=self.choi_hu_aggregation,
            same_technique=self.choi_phase_mismatch == "ne",
            least_baseline=self.choi_min_base_hu,
        )
