"""Results for people to read: an HTML page, pictures, a table of numbers."""

from metaunetr.report.overlay import overlay_montage
from metaunetr.report.page import write_report
from metaunetr.report.png import save_png
from metaunetr.report.statistics import write_statistics

__all__ = ["overlay_montage", "save_png", "write_report", "write_statistics"]
