"""The 1797 hand-written digits that come with scikit-learn: real data without a network."""

from typing import Any

import numpy as np

from purenet.data.dataset import Dataset, Examples, take
from purenet.data.split import split_indices
from purenet.input_scaling import InputScaling

CLASS_NAMES = tuple("0123456789")


def digits(validation: float | int = 0.1, test: float | int = 0.2, seed: int = 0) -> Dataset:
    """1797 images of 8 x 8 pixels, uint8 0 (background) to 16 (ink), flattened to (n, 64).

    Source: E. Alpaydin, C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine
    Learning Repository, 1998 (its test part), as `sklearn.datasets.load_digits`.

    Args:
        validation: fraction of the images; see `split_indices`.
        test: fraction of the images.
        seed: of the split, which is stratified by digit.

    Raises:
        ImportError: scikit-learn is not installed.
        ValueError: what `split_indices` raises.

    >>> data = digits()
    >>> data.train.x.shape, data.train.x.dtype, data.input_scaling.scale
    ((1258, 64), dtype('uint8'), 16.0)
    """
    x, y = _load_digits()(return_X_y=True)
    examples = Examples(x.astype(np.uint8), y.astype(np.int32))
    return Dataset(
        "digits",
        "classification",
        *take(examples, split_indices(examples.y, validation, test, seed)),
        class_names=CLASS_NAMES,
        input_scaling=InputScaling(0.0, 16.0),
    )


def _load_digits() -> Any:
    try:
        from sklearn.datasets import load_digits  # type: ignore[import-untyped, unused-ignore]
    except ImportError as error:
        raise ImportError(
            'the digits come with scikit-learn: pip install "purenet[cli]"'
        ) from error
    return load_digits
