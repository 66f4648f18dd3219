"""Best overall response from collected timepoint responses alone, with and without confirmation."""

import pandas as pd

import response

collected = pd.DataFrame(
    [
        ("A-01", "1", "2023-03-01", "PR"),
        ("A-01", "2", "2023-04-26", "PR"),
        ("A-01", "3", "2023-06-21", "PD"),
        ("A-02", "1", "2023-02-20", "PR"),
        ("A-02", "2", "2023-04-17", "SD"),
    ],
    columns=["subject", "timepoint", "date", "overall"],
)
best = response.best_response(collected)
print(best[["subject", "best_response", "confirmed_best_response", "why_not_better"]].to_string(index=False))
