"""Detectors: a picture in, boxes with labels and scores out.

`base` holds the contract, `motion`, `people` and `faces` are OpenCV's, `onnx_detector` runs a file, `loading`
chooses, and `inspection` and `canary` look at a file before anything runs it.
"""
