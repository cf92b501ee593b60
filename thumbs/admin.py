"""What a site's `admin.py` imports."""

from thumbs.toolkit.integrations.admin import AdminThumbImageInput, ThumbAdminMixin, thumb_column

__all__ = ["AdminThumbImageInput", "ThumbAdminMixin", "thumb_column"]
