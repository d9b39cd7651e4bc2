"""Keep TensorFlow's start-up lines off the terminal."""

import os


def quiet_tensorflow() -> None:
    """Silence TensorFlow's own log below errors; call before it is imported."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
