"""Files to images and back, with exact geometry."""

from metaunetr.io.atomic import write_text
from metaunetr.io.describe import describe
from metaunetr.io.read import data_file, read_dtype, read_image, read_labels
from metaunetr.io.write import check_labels, prepare_file, prepare_output, write_image, write_labels

__all__ = [
    "check_labels", "data_file", "describe", "prepare_file", "prepare_output", "read_dtype",
    "read_image", "read_labels", "write_image", "write_labels", "write_text",
]
