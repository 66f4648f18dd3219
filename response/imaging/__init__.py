"""Pixels to numbers: diameters, volumes, attenuation and morphology of segmented lesions; no files, no DICOM."""
