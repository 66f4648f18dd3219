"""Volumetric response for tumor-response: a criterion (`rules`) and a reader (`lesiondesk`)."""
