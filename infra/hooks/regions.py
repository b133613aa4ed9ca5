"""Where Azure Speech does what Dragoman needs; no API of Azure says it.

Source: "Supported regions for Azure Speech" (Microsoft Learn), tabs Speech to text and Speech translation, page of
2025-11-09. Language identification is part of real-time transcription and has had no list of its own since 2023.
"""

from typing import Final

READ_ON: Final = "2025-11-09"

FAST: Final = frozenset(
    (
        *("australiaeast", "brazilsouth", "canadacentral", "centralindia", "eastus", "eastus2", "francecentral"),
        *("germanywestcentral", "italynorth", "japaneast", "japanwest", "koreacentral", "northcentralus"),
        *("northeurope", "southcentralus", "southeastasia", "swedencentral", "uksouth", "westeurope", "westus"),
        *("westus2", "westus3"),
    )
)
"""Fast transcription of files; elsewhere files are left to the local models."""

REAL_TIME: Final = FAST | frozenset(
    (
        *("canadaeast", "centralus", "eastasia", "norwayeast", "qatarcentral", "southafricanorth"),
        *("switzerlandnorth", "switzerlandwest", "uaenorth", "ukwest", "westcentralus"),
    )
)
"""Real-time transcription and translation, with language identification."""
