"""What an explanation costs, in forward passes: `python benchmarks/explain_cost.py`.

On one chunk, on one thread, everything compiled: the forward pass alone, and each method with
the probability from the same pass; then the same with what the heatmap is worth. Processor time,
and all of them take turns, so that a busy machine is busy for all; medians over the rounds.
"""

import argparse
import platform
import statistics
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from iyu.worker.explain.explainer import Explainer
from iyu.worker.explain.methods.registry import METHODS, choose
from iyu.worker.explain.trace import forward, trace
from iyu.worker.model.artifact import Artifact, load
from iyu.worker.text.morphemes import Analyzer

#: (method, forward passes): what the project promises of the pass without the worth.
PROMISES = {"gradcam": 3.0, "integrated_gradients": 20.0}


def main() -> None:
    """Measure and print."""
    import tensorflow as tf

    options = _options()
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    artifact = load(options.model)
    passes = _passes(artifact)
    seconds = _measure(passes, _chunk(artifact, options.chunk), options.rounds)
    libraries = ", ".join(f"{name} {version(name)}" for name in ("keras", "numpy"))
    print(f"{_processor()}, {platform.system()}, one thread")
    print(f"Python {platform.python_version()}, TensorFlow {tf.__version__}, {libraries}")
    print(f"model {artifact.model_version}, chunk of {options.chunk}, {options.rounds} rounds\n")
    _print(seconds, options.chunk)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="wide")
    parser.add_argument("--chunk", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=25)
    return parser.parse_args()


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def _chunk(artifact: Artifact, size: int) -> dict[str, Any]:
    """Return full-length reviews of random words: the cost does not depend on which words."""
    draw = np.random.default_rng(0)
    words = artifact.vocabulary.surfaces
    texts = draw.choice(np.array(words, dtype=object), (size, artifact.encoder.length))
    return dict(artifact.encoder.encode(Analyzer().analyze([" ".join(t) for t in texts])).inputs)


def _passes(artifact: Artifact) -> dict[str, Callable[[Any], Any]]:
    import tensorflow as tf

    network = artifact.network
    signature = [network.signature()]
    passes: dict[str, Callable[[Any], Any]] = {
        "forward": tf.function(lambda inputs: forward(network, inputs), input_signature=signature)
    }
    for method in choose(list(METHODS)):

        def run(inputs: Any, method: Any = method) -> Any:
            passed = trace(network, inputs)
            return passed.probability, method.attribute(network, passed)

        passes[method.key] = tf.function(run, input_signature=signature)
        passes[f"{method.key} + worth"] = Explainer(network, [method]).explain
    return passes


def _measure(
    passes: dict[str, Callable[[Any], Any]], chunk: dict[str, Any], rounds: int
) -> dict[str, list[float]]:
    """Return seconds for each pass, one a round; the first call of each compiles it."""
    for run in passes.values():
        run(chunk)
    seconds: dict[str, list[float]] = {name: [] for name in passes}
    for _ in range(rounds):
        for name, run in passes.items():
            start = time.process_time()
            run(chunk)
            seconds[name].append(time.process_time() - start)
    return seconds


def _print(seconds: dict[str, list[float]], chunk: int) -> None:
    print(f"{'':32}{'µs a review':>12}{'forward passes':>16}")
    forward_alone = statistics.median(seconds["forward"])
    for name, taken in seconds.items():
        ratio = statistics.median(taken) / forward_alone
        promise = PROMISES.get(name)
        kept = "" if promise is None else f"   ≤ {promise:g}: {'yes' if ratio <= promise else 'NO'}"
        print(f"{name:32}{statistics.median(taken) / chunk * 1e6:12.1f}{ratio:16.1f}{kept}")


if __name__ == "__main__":
    main()
