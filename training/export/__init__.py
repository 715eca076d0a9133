"""Export of trained models to bundles: ONNX graphs built node by node."""
