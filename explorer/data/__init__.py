"""Small labelled data sets for training: scikit-learn's digits, and the user's own pictures."""

from explorer.data.dataset import Dataset
from explorer.data.digits import digits
from explorer.data.user_arrays import dataset_from_arrays
from explorer.data.user_file import read_dataset

__all__ = ["Dataset", "dataset_from_arrays", "digits", "read_dataset"]
