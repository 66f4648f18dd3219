"""Best overall response: which assessments count, confirmation, dates, and why it is not better."""
