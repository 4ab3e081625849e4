"""Translation of texts, also where Slicer's classes are used without the application."""

try:
    from slicer.i18n import tr
except ImportError:

    def tr(text: str) -> str:
        return text
